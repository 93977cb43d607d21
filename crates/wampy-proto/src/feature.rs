//! Roles and the features that each announces in HELLO and WELCOME.
//!
//! To add a feature: one row in the table at the end of this file. Its last column says whether
//! this implementation announces it, and so drives the announcement of the router and the client.

use crate::serializer::{DecodeError, OptionValue, Reader, Token, Writer};

/// What a peer does in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Calls procedures.
    Caller,
    /// Registers procedures.
    Callee,
    /// Publishes events.
    Publisher,
    /// Subscribes to topics.
    Subscriber,
    /// Routes events.
    Broker,
    /// Routes calls.
    Dealer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Caller,
        Self::Callee,
        Self::Publisher,
        Self::Subscriber,
        Self::Broker,
        Self::Dealer,
    ];
    /// The roles of a client.
    pub const CLIENT: [Self; 4] = [
        Self::Caller,
        Self::Callee,
        Self::Publisher,
        Self::Subscriber,
    ];
    /// The roles of a router.
    pub const ROUTER: [Self; 2] = [Self::Broker, Self::Dealer];

    /// The role's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
            Self::Publisher => "publisher",
            Self::Subscriber => "subscriber",
            Self::Broker => "broker",
            Self::Dealer => "dealer",
        }
    }
}

/// The features that one role of a peer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeatureSet(u32);

impl FeatureSet {
    /// No features.
    pub const EMPTY: Self = Self(0);

    /// Whether the set holds `feature`.
    pub const fn contains(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u8) != 0
    }

    /// Adds `feature`.
    pub const fn insert(&mut self, feature: Feature) {
        self.0 |= 1 << feature as u8;
    }

    /// Removes `feature`.
    pub const fn remove(&mut self, feature: Feature) {
        self.0 &= !(1 << feature as u8);
    }

    /// The features of the set.
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        Feature::ALL
            .into_iter()
            .filter(move |&feature| self.contains(feature))
    }

    /// Whether there are no features.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The features that are not in `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    const fn len(self) -> usize {
        self.0.count_ones() as usize
    }
}

/// The roles of a peer, each with its features: `roles` of HELLO and WELCOME.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Roles {
    /// One bit for each role that the peer has.
    present: u8,
    features: [FeatureSet; Role::ALL.len()],
}

impl Roles {
    /// The roles and features that this implementation announces for `roles`.
    pub fn announced(roles: &[Role]) -> Self {
        let mut announced = Self::default();
        for &role in roles {
            let mut features = FeatureSet::EMPTY;
            for feature in Feature::ALL.into_iter().filter(|f| f.announced_by(role)) {
                features.insert(feature);
            }
            announced.set(role, features);
        }
        announced
    }

    /// The features of `role`, or `None` if the peer does not have the role.
    pub const fn get(&self, role: Role) -> Option<FeatureSet> {
        if self.present & (1 << role as u8) != 0 {
            Some(self.features[role as usize])
        } else {
            None
        }
    }

    /// Gives the peer `role` with `features`.
    pub const fn set(&mut self, role: Role, features: FeatureSet) {
        self.present |= 1 << role as u8;
        self.features[role as usize] = features;
    }

    /// Whether the peer has `role`, and `feature` in it.
    pub fn supports(&self, role: Role, feature: Feature) -> bool {
        self.get(role)
            .is_some_and(|features| features.contains(feature))
    }

    /// Whether there is no role at all.
    pub fn is_empty(&self) -> bool {
        self.present == 0
    }
}

impl<'a> OptionValue<'a> for Roles {
    fn read<R: Reader<'a>>(reader: &mut R) -> Result<Self, DecodeError> {
        let mut roles = Self::default();
        let mut map = reader.map()?;
        while reader.more(&mut map)? {
            let key = reader.key()?;
            match Role::ALL.into_iter().find(|role| role.as_str() == key) {
                Some(role) => roles.set(role, read_role(reader)?),
                None => _ = reader.skip()?,
            }
        }
        Ok(roles)
    }

    fn is_present(&self) -> bool {
        !self.is_empty()
    }

    fn write<W: Writer>(&self, writer: &mut W) {
        writer.begin_map(self.present.count_ones() as usize);
        for role in Role::ALL {
            let Some(features) = self.get(role) else {
                continue;
            };
            writer.key(role.as_str());
            write_role(features, writer);
        }
        writer.end_map();
    }
}

fn write_role<W: Writer>(mut features: FeatureSet, writer: &mut W) {
    let reflection = features.contains(Feature::Reflection);
    features.remove(Feature::Reflection);
    writer.begin_map(usize::from(!features.is_empty()) + usize::from(reflection));
    if !features.is_empty() {
        writer.key("features");
        writer.begin_map(features.len());
        for feature in features.iter() {
            writer.key(feature.as_str());
            writer.bool(true);
        }
        writer.end_map();
    }
    if reflection {
        writer.key(Feature::Reflection.as_str());
        writer.bool(true);
    }
    writer.end_map();
}

fn read_role<'a, R: Reader<'a>>(reader: &mut R) -> Result<FeatureSet, DecodeError> {
    let mut features = FeatureSet::EMPTY;
    let mut map = reader.map()?;
    while reader.more(&mut map)? {
        let key = reader.key()?;
        if key == Feature::Reflection.as_str() {
            read_feature(Feature::Reflection, &mut features, reader)?;
        } else if key == "features" {
            read_features(&mut features, reader)?;
        } else {
            reader.skip()?;
        }
    }
    Ok(features)
}

fn read_features<'a, R: Reader<'a>>(
    features: &mut FeatureSet,
    reader: &mut R,
) -> Result<(), DecodeError> {
    let mut map = reader.map()?;
    while reader.more(&mut map)? {
        let key = reader.key()?;
        match Feature::from_key(&key) {
            Some(feature) => read_feature(feature, features, reader)?,
            None => _ = reader.skip()?,
        }
    }
    Ok(())
}

fn read_feature<'a, R: Reader<'a>>(
    feature: Feature,
    features: &mut FeatureSet,
    reader: &mut R,
) -> Result<(), DecodeError> {
    // Clients are known to announce a feature by other values than `true`, such as a map of
    // details; only a plain `true` counts, and nothing else is an error.
    match reader.token()? {
        Token::Bool(true) => features.insert(feature),
        Token::Bool(false) => features.remove(feature),
        other => reader.skip_rest(other)?,
    }
    Ok(())
}

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident = $key:literal $(| $alias:literal)*: $($role:ident)*;)*) => {
        /// A feature of the advanced profile.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Feature {
            $($(#[$doc])* $name,)*
        }

        impl Feature {
            /// Every feature, known or announced.
            pub const ALL: [Self; [$($key),*].len()] = [$(Self::$name),*];

            /// The feature's key on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $key,)*
                }
            }

            fn from_key(key: &str) -> Option<Self> {
                match key {
                    $($key $(| $alias)* => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Whether this implementation announces the feature for `role`.
            pub const fn announced_by(self, role: Role) -> bool {
                match self {
                    $(Self::$name => { let _ = role; false $(|| matches!(role, Role::$role))* })*
                }
            }
        }
    };
}

// Name = key on the wire (| spellings accepted): roles for which this implementation announces it.
features! {
    /// A call may have several results.
    ProgressiveCallResults = "progressive_call_results": Caller Callee Dealer;
    /// A call may be made in several parts.
    ProgressiveCallInvocations = "progressive_call_invocations": Caller Callee Dealer;
    /// A call may have a time limit.
    CallTimeout = "call_timeout": Caller Callee Dealer;
    /// A call may be canceled.
    CallCanceling = "call_canceling" | "call_cancelling": Caller Callee Dealer;
    /// An unavailable callee's call goes to the next.
    CallReroute = "call_reroute": Callee Dealer;
    /// A callee may learn who calls.
    CallerIdentification = "caller_identification": Caller Callee Dealer;
    /// A callee may learn how far the caller is trusted.
    CallTrustlevels = "call_trustlevels": Callee Dealer;
    /// Procedures may be registered by prefix or wildcard.
    PatternBasedRegistration = "pattern_based_registration": Callee Dealer;
    /// Several callees may share a registration.
    SharedRegistration = "shared_registration": Callee Dealer;
    /// Calls may go to a partition of a registration's callees.
    ShardedRegistration = "sharded_registration": Caller Callee Dealer;
    /// The router may end a registration.
    RegistrationRevocation = "registration_revocation": Callee Dealer;
    /// Sessions can be listed, watched and ended.
    SessionMetaApi = "session_meta_api": Broker Dealer;
    /// Registrations can be listed and watched.
    RegistrationMetaApi = "registration_meta_api": Dealer;
    /// Subscriptions can be listed and watched.
    SubscriptionMetaApi = "subscription_meta_api": Broker;
    /// Events that are published when their session is gone.
    TestamentMetaApi = "testament_meta_api": Dealer;
    /// The publisher may be left out of the receivers.
    PublisherExclusion = "publisher_exclusion": Publisher Broker;
    /// The publisher may name who receives and who does not.
    SubscriberBlackwhiteListing = "subscriber_blackwhite_listing": Publisher Broker;
    /// A subscriber may learn who published.
    PublisherIdentification = "publisher_identification": Publisher Subscriber Broker;
    /// A subscriber may learn how far the publisher is trusted.
    PublicationTrustlevels = "publication_trustlevels": Subscriber Broker;
    /// Topics may be subscribed to by prefix or wildcard.
    PatternBasedSubscription = "pattern_based_subscription": Subscriber Broker;
    /// Events may go to a partition of the subscribers.
    ShardedSubscriptions = "shareded_subscriptions" | "sharded_subscriptions": Publisher Subscriber Broker;
    /// Past events can be fetched.
    EventHistory = "event_history": Broker;
    /// The last event of a topic is kept for later subscribers.
    EventRetention = "event_retention": Broker;
    /// The router may end a subscription.
    SubscriptionRevocation = "subscription_revocation": Subscriber Broker;
    /// Payloads may be encrypted end to end.
    PayloadPassthruMode = "payload_passthru_mode": Caller Callee Publisher Subscriber Broker Dealer;
    /// Procedures, topics and errors can be listed and described. The only one whose key is beside
    /// `features` and not in it.
    Reflection = "reflection": Broker Dealer;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serializer::json::{JsonReader, JsonWriter};

    #[test]
    fn reflection_is_announced_beside_the_features() {
        let mut json = Vec::new();
        Roles::announced(&Role::ROUTER).write(&mut JsonWriter::new(&mut json));
        let text = String::from_utf8(json.clone()).unwrap();
        assert_eq!(text.matches("},\"reflection\":true}").count(), 2, "{text}");
        let read = Roles::read(&mut JsonReader::new(&json)).unwrap();
        assert_eq!(read, Roles::announced(&Role::ROUTER));
    }

    #[test]
    fn only_a_plain_true_announces_a_feature() {
        for (roles, expected) in [
            (r#"{"broker": {"reflection": true}}"#, true),
            (
                r#"{"broker": {"reflection": true, "features": {"reflection": false}}}"#,
                false,
            ),
            (
                r#"{"broker": {"reflection": {"x": [1]}, "features": {}}}"#,
                false,
            ),
            (
                r#"{"broker": {"features": {}}, "dealer": {"reflection": true}}"#,
                false,
            ),
        ] {
            let read = Roles::read(&mut JsonReader::new(roles.as_bytes())).unwrap();
            let announced = read.supports(Role::Broker, Feature::Reflection);
            assert_eq!(announced, expected, "{roles}");
        }
    }
}
