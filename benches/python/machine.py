"""What the benchmarks ran on."""

import os
import platform


def description():
    """One line about processor, cores, memory and system."""
    cores = os.cpu_count()
    gibibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    # What a distribution or a provider adds to the version says nothing here.
    version = ".".join(platform.release().split(".")[:2])
    system = f"{platform.system()} {version}"
    return f"{processor()}, {cores} cores, {gibibytes:.0f} GiB, {system}.\n"


def processor():
    """The name of the processor."""
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
