//! Values on their way into a payload: what `args(..)` and `kwargs(..)` of the builders collect.

use serde::Serialize;
use serde::de::{
    self, Deserialize, DeserializeOwned, Deserializer, IgnoredAny, SeqAccess, Visitor,
};
use std::fmt;
use std::marker::PhantomData;
use wampy_proto::{EncodeError, Payload, PayloadError, Serializer};

/// Args and kwargs so far, or the first of them that could not be encoded.
#[derive(Debug, Clone)]
pub(crate) struct Values(Result<Payload<'static>, EncodeError>);

impl Values {
    pub(crate) const EMPTY: Self = Self(Ok(Payload::EMPTY));

    /// Replaces the args by a list of values.
    pub(crate) fn set_args(&mut self, serializer: Serializer, args: &(impl Serialize + ?Sized)) {
        self.set(Payload::encode(serializer, args, &()), |args, old| {
            Payload::from_encoded(
                serializer,
                args.encoded_args().to_vec(),
                old.encoded_kwargs().to_vec(),
            )
        });
    }

    /// Replaces the kwargs by a map of values.
    pub(crate) fn set_kwargs(
        &mut self,
        serializer: Serializer,
        kwargs: &(impl Serialize + ?Sized),
    ) {
        self.set(Payload::encode(serializer, &(), kwargs), |kwargs, old| {
            Payload::from_encoded(
                serializer,
                old.encoded_args().to_vec(),
                kwargs.encoded_kwargs().to_vec(),
            )
        });
    }

    fn set(
        &mut self,
        encoded: Result<Payload<'static>, EncodeError>,
        join: impl FnOnce(&Payload<'static>, &Payload<'static>) -> Payload<'static>,
    ) {
        let Ok(old) = &self.0 else { return };
        self.0 = encoded.map(|new| match old.is_empty() {
            true => new,
            false => join(&new, old),
        });
    }

    /// Replaces all by a payload.
    pub(crate) fn set_payload(&mut self, payload: Payload<'static>) {
        self.0 = Ok(payload);
    }

    /// All values, or why they have no form.
    pub(crate) fn of(payload: Result<Payload<'static>, EncodeError>) -> Self {
        Self(payload)
    }

    pub(crate) fn finish(self) -> Result<Payload<'static>, EncodeError> {
        self.0
    }
}

/// Decodes the first of `payload`'s args; a missing one counts as null.
pub(crate) fn first_arg<T: DeserializeOwned>(payload: &Payload<'_>) -> Result<T, PayloadError> {
    payload.args::<FirstOf<T>>().map(|first| first.0)
}

/// The first element of a list; the others are read over.
struct FirstOf<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for FirstOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FirstVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstVisitor<T> {
            type Value = FirstOf<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let first = match seq.next_element()? {
                    Some(first) => first,
                    None => T::deserialize(de::value::UnitDeserializer::new())?,
                };
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(FirstOf(first))
            }
        }

        deserializer.deserialize_seq(FirstVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn args_and_kwargs_join_in_either_order() {
        for serializer in Serializer::ALL {
            let kwargs = BTreeMap::from([("c", 3)]);
            let mut forth = Values::EMPTY;
            forth.set_args(serializer, &(1, "b"));
            forth.set_kwargs(serializer, &kwargs);
            let mut back = Values::EMPTY;
            back.set_kwargs(serializer, &kwargs);
            back.set_args(serializer, &(1, "b"));
            let (forth, back) = (forth.finish().unwrap(), back.finish().unwrap());
            assert_eq!(forth, back);
            assert_eq!(forth.args::<(i32, String)>().unwrap(), (1, "b".to_owned()));
            assert_eq!(forth.kwargs::<BTreeMap<String, i32>>().unwrap()["c"], 3);
        }
    }

    #[test]
    fn args_must_be_a_list_and_kwargs_a_map() {
        let mut values = Values::EMPTY;
        values.set_args(Serializer::Json, &5);
        values.set_kwargs(Serializer::Json, &BTreeMap::from([("c", 3)]));
        assert!(
            values
                .finish()
                .unwrap_err()
                .to_string()
                .contains("expected a list")
        );
        let mut values = Values::EMPTY;
        values.set_kwargs(Serializer::Json, &(1, 2));
        assert!(
            values
                .finish()
                .unwrap_err()
                .to_string()
                .contains("expected a map")
        );
    }

    #[test]
    fn the_first_arg_of_none_is_null() {
        for serializer in Serializer::ALL {
            let empty = Payload::encode(serializer, &(), &()).unwrap();
            assert_eq!(first_arg::<Option<i32>>(&empty).unwrap(), None);
            first_arg::<()>(&empty).unwrap();
            assert!(first_arg::<i32>(&empty).is_err());
            let two = Payload::encode(serializer, &(1, "b"), &()).unwrap();
            assert_eq!(first_arg::<i32>(&two).unwrap(), 1);
        }
    }
}
