"""One user for each authmethod, as our router, Crossbar.io and their clients know them.

Each has a role of its own, `by_METHOD`, which tells who has joined.
"""

import json

#: Every authmethod, and the name that Autobahn and Crossbar.io have for it.
METHODS = {"ticket": "ticket", "wampcra": "wampcra", "salted": "wampcra"}
METHODS |= {"scram": "scram", "cryptosign": "cryptosign"}

SECRET = "p4ssw0rd"
PRIVATE_KEY = "20e8c05d0ede9506462bb049c4843032b18e8e75b314583d0c8d8a4942f9be40"
PUBLIC_KEY = "15cfa4acef5cc312e0b9ba77634849d0a8c6222a546f90eb5123667935d2f561"
SALTING = {"salt": "salt123", "iterations": 1000, "keylen": 32}
#: Made by autobahn's `derive_scram_credential`.
SCRAM = {
    "kdf": "argon2id-13",
    "memory": 512,
    "iterations": 32,
    "salt": "000102030405060708090a0b0c0d0e0f",
    "stored-key": "276b6f2fee0ecb669701fc470a279eec277ccfa8f9a289b751caeaeb30c1883c",
    "server-key": "69ad15952d0081f2a592713d739b2f6454f06c632c6483d541d3a3617b139969",
}


def role(user):
    """The role of the user that authenticates by `user`."""
    return f"by_{user}"


def roles():
    """All of them."""
    return [role(user) for user in METHODS]


def as_autobahn(user, wrong=False):
    """What autobahn's `Component` needs to be the user; with a wrong secret on demand."""
    secret = "guess" if wrong else SECRET
    key = PRIVATE_KEY[::-1] if wrong else PRIVATE_KEY
    given = {
        "ticket": {"ticket": secret},
        "wampcra": {"secret": secret},
        "salted": {"secret": secret},
        "scram": {"password": secret},
        "cryptosign": {"privkey": key},
    }
    return {METHODS[user]: {"authid": user, **given[user]}}


def as_command(user, directory, wrong=False):
    """What the `wampy` command needs to be the user: its arguments and its environment."""
    secret = "guess" if wrong else SECRET
    if user == "cryptosign":
        file = directory / ("wrong.key" if wrong else "right.key")
        file.write_text(PRIVATE_KEY[::-1] if wrong else PRIVATE_KEY)
        return ["--authid", user, "--key-file", str(file)], {}
    # Crossbar.io takes the first method that it can do, whether or not the user can.
    arguments = ["--authid", user, "--authmethod", METHODS[user]]
    variable = "WAMPY_TICKET" if user == "ticket" else "WAMPY_SECRET"
    return arguments, {variable: secret}


def crossbar_auth():
    """The `auth` of a transport of Crossbar.io."""

    def static(users, **more):
        return {"type": "static", users: more}

    users = {"role": role("wampcra"), "secret": SECRET}
    salted = {"role": role("salted"), "secret": SECRET, **SALTING}
    return {
        "ticket": static("principals", ticket={"ticket": SECRET, "role": role("ticket")}),
        "wampcra": static("users", wampcra=users, salted=salted),
        "scram": static("principals", scram={**SCRAM, "role": role("scram")}),
        "cryptosign": static(
            "principals",
            cryptosign={"authorized_keys": [PUBLIC_KEY], "role": role("cryptosign")},
        ),
    }


def wampy_config():
    """The realms of our router, with these users."""
    text = json.dumps
    scram = ", ".join(f"{key} = {text(value)}" for key, value in SCRAM.items())
    salting = ", ".join(f"{key} = {text(value)}" for key, value in SALTING.items())
    proofs = {
        "ticket": f"ticket = {text(SECRET)}",
        "wampcra": f"wampcra = {{ secret = {text(SECRET)} }}",
        "salted": f"wampcra = {{ secret = {text(SECRET)}, {salting} }}",
        "scram": f"scram = {{ {scram} }}",
        "cryptosign": f"cryptosign = [{text(PUBLIC_KEY)}]",
    }
    lines = ["[[realms]]", 'name = "realm1"', "[realms.authentication]"]
    lines += ['methods = ["ticket", "wampcra", "wamp-scram", "cryptosign"]']
    for user, proof in proofs.items():
        lines += ["[[realms.authentication.users]]", f"authid = {text(user)}"]
        lines += [f"role = {text(role(user))}", proof]
    return "\n".join(lines) + "\n"
