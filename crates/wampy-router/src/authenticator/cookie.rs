//! `cookie`: the client is whom a connection with the same cookie has authenticated as.
//!
//! Who a listed user is now, the list says: one that is not on it any more, or proves itself by something
//! else than it did, is nobody, also with a cookie. Whom a procedure vouched for is who it was, until the
//! cookie expires or is forgotten ([`Router::forget_cookies`](crate::Router::forget_cookies)). A second
//! factor is not asked for again.

use wampy_proto::message::Abort;

use super::Identity;
use super::conversation::{Conversation, denied};
use super::dialog::Verdict;
use super::users::STATIC;
use crate::http::cookies::Principal;
use crate::settings::Method;

impl Conversation {
    /// Who had authenticated with the client's cookie, in this realm and as whom the client claims to
    /// be, if it claims that.
    pub(super) fn principal(&self) -> Option<Principal> {
        let cookies = self.router.cookies.as_ref()?;
        let principal = cookies.principal(self.client.cookie.as_deref()?)?;
        let claimed = self.hello.details.authid.as_deref();
        let is_meant = *principal.realm == *self.hello.realm
            && claimed.is_none_or(|authid| *authid == *principal.authid);
        is_meant.then_some(principal)
    }

    pub(super) fn by_cookie(&self) -> Verdict {
        let nobody = || -> Abort<'static> { denied("the cookie is nobody's") };
        let mut principal = self.principal().ok_or_else(nobody)?;
        if principal.authprovider == STATIC {
            let user = self.access.users().by_authid(&principal.authid);
            let known = principal.user.take();
            let still =
                user.filter(|user| known.is_some_and(|known| user.proves_itself_like(&known)));
            let user = still.ok_or_else(nobody)?;
            principal.authrole = user.role.clone();
        }
        Ok(Identity {
            realm: principal.realm,
            authid: principal.authid,
            authrole: principal.authrole,
            authmethod: Method::Cookie.as_str(),
            authprovider: principal.authprovider,
            authextra: principal.authextra,
            proof_extra: Vec::new(),
            trust_level: None,
        })
    }

    /// The client has authenticated: its cookie stands for that from now on, if the realm lets cookies
    /// stand for anything.
    pub(super) fn remember(&self, identity: &Identity) {
        let (Some(cookies), Some(cookie)) = (&self.router.cookies, &self.client.cookie) else {
            return;
        };
        let has_proven = [Method::Anonymous, Method::Cookie]
            .iter()
            .all(|method| method.as_str() != identity.authmethod);
        let access = self.router.realms.access(&identity.realm);
        let access = access.filter(|access| access.is_by(Method::Cookie));
        if let Some(access) = access
            && has_proven
        {
            let is_listed = identity.authprovider == STATIC;
            let user = is_listed.then(|| access.users().by_authid(&identity.authid));
            let principal = Principal {
                realm: identity.realm.clone(),
                authid: identity.authid.clone(),
                authrole: identity.authrole.clone(),
                authprovider: identity.authprovider,
                authextra: identity.authextra.clone(),
                user: user.flatten(),
            };
            cookies.remember(cookie, principal);
        }
    }
}
