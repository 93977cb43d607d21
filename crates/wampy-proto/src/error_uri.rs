//! The error URIs of WAMP's registry, those of the basic and of the advanced profile.

macro_rules! error_uris {
    ($($(#[$doc:meta])* $name:ident = $uri:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = concat!("wamp.error.", $uri);)*
        /// Every URI of the registry.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

error_uris! {
    /// A URI breaks the grammar that the router enforces.
    INVALID_URI = "invalid_uri";
    /// No registration matches the procedure of a call.
    NO_SUCH_PROCEDURE = "no_such_procedure";
    /// Somebody else has registered the procedure already.
    PROCEDURE_ALREADY_EXISTS = "procedure_already_exists";
    /// The registration to end does not exist, or belongs to another session.
    NO_SUCH_REGISTRATION = "no_such_registration";
    /// The subscription to end does not exist, or belongs to another session.
    NO_SUCH_SUBSCRIPTION = "no_such_subscription";
    /// No session has that id.
    NO_SUCH_SESSION = "no_such_session";
    /// The arguments do not suit the procedure.
    INVALID_ARGUMENT = "invalid_argument";
    /// The call was canceled, or its callee left.
    CANCELED = "canceled";
    /// The payload is larger than the receiver takes.
    PAYLOAD_SIZE_EXCEEDED = "payload_size_exceeded";
    /// The peer broke the protocol.
    PROTOCOL_VIOLATION = "protocol_violation";
    /// The session may not do this.
    NOT_AUTHORIZED = "not_authorized";
    /// The authorizer itself failed.
    AUTHORIZATION_FAILED = "authorization_failed";
    /// The session may not do this (the wording of some authorizers).
    AUTHORIZATION_DENIED = "authorization_denied";
    /// The action needs authorization first.
    AUTHORIZATION_REQUIRED = "authorization_required";
    /// The router has no such realm and creates none.
    NO_SUCH_REALM = "no_such_realm";
    /// The realm has no such role.
    NO_SUCH_ROLE = "no_such_role";
    /// Router and client share no authentication method.
    NO_MATCHING_AUTH_METHOD = "no_matching_auth_method";
    /// Nobody has that authid.
    NO_SUCH_PRINCIPAL = "no_such_principal";
    /// The credentials were understood and refused.
    AUTHENTICATION_DENIED = "authentication_denied";
    /// The authenticator itself failed.
    AUTHENTICATION_FAILED = "authentication_failed";
    /// The realm takes no session without credentials.
    AUTHENTICATION_REQUIRED = "authentication_required";
    /// The call's time ran out.
    TIMEOUT = "timeout";
    /// The router does not allow this option.
    OPTION_NOT_ALLOWED = "option_not_allowed";
    /// The router does not disclose this caller or publisher.
    OPTION_DISALLOWED_DISCLOSE_ME = "option_disallowed.disclose_me";
    /// A network between the peers failed.
    NETWORK_FAILURE = "network_failure";
    /// A callee cannot take the call now; another might.
    UNAVAILABLE = "unavailable";
    /// No callee of the registration can take the call.
    NO_AVAILABLE_CALLEE = "no_available_callee";
    /// The receiver lacks a feature that the message needs.
    FEATURE_NOT_SUPPORTED = "feature_not_supported";
}
