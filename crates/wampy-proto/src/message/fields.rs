//! How options and details are declared, read and written: a table of fields becomes a struct.
//!
//! Deliberately absent: the tables themselves (`options.rs`, `details.rs`).

use crate::serializer::{DecodeError, OptionValue, Reader, Writer};
use crate::value::Value;

/// The most private keys that the options of one message may have.
pub const PRIVATE_KEYS_MAX: usize = 64;

/// The private keys (`_custom`) of options or details, in the order in which they came.
pub type Extra = Vec<(String, Value)>;

/// Declares structs of options: each row is a field, its key on the wire and its type. Rows behind
/// `+` make a struct of their own, to which the first one dereferences.
macro_rules! options {
    () => {};
    (
        $(#[$doc:meta])* $name:ident {
            $($(#[$field_doc:meta])* $field:ident = $key:literal: $type:ty,)*
        }
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// Private keys (`_custom`).
            pub extra: $crate::message::fields::Extra,
        }

        impl $name {
            $crate::message::fields::read!($($field = $key,)*);

            /// Writes the options, one map.
            pub fn write<W: $crate::serializer::Writer>(&self, writer: &mut W) {
                #[allow(unused_imports)]
                use $crate::serializer::OptionValue;
                let present = 0 $(+ usize::from(self.$field.is_present()))* + self.extra.len();
                writer.begin_map(present);
                $crate::message::fields::write_present!(self, writer, $($field = $key,)*);
                $crate::message::fields::write_extra(&self.extra, writer);
                writer.end_map();
            }
        }
        $crate::message::fields::options!($($rest)*);
    };
    (
        $(#[$doc:meta])* $name:ident {
            $($(#[$field_doc:meta])* $field:ident = $key:literal: $type:ty,)*
            + $rare:ident {
                $($(#[$rare_doc:meta])* $rare_field:ident = $rare_key:literal: $rare_type:ty,)*
            }
        }
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        ///
        /// What few messages have is in a struct of its own, and read and written as if it were here.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// What few messages have.
            pub rare: $crate::message::rare::Rare<$rare>,
        }

        #[doc = concat!("What few [`", stringify!($name), "`] have.")]
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $rare {
            $($(#[$rare_doc])* pub $rare_field: $rare_type,)*
            /// Private keys (`_custom`).
            pub extra: $crate::message::fields::Extra,
        }

        impl $crate::message::rare::Absent for $rare {
            fn absent() -> &'static Self {
                static ABSENT: $rare = $rare {
                    $($rare_field: None,)*
                    extra: Vec::new(),
                };
                &ABSENT
            }
        }

        impl std::ops::Deref for $name {
            type Target = $rare;

            #[inline]
            fn deref(&self) -> &$rare {
                &self.rare
            }
        }

        impl std::ops::DerefMut for $name {
            fn deref_mut(&mut self) -> &mut $rare {
                &mut self.rare
            }
        }

        impl $name {
            $crate::message::fields::read!($($field = $key,)* $($rare_field = $rare_key,)*);

            /// Writes the options, one map.
            #[inline]
            pub fn write<W: $crate::serializer::Writer>(&self, writer: &mut W) {
                #[allow(unused_imports)]
                use $crate::serializer::OptionValue;
                let present = 0 $(+ usize::from(self.$field.is_present()))*;
                let rare = self.rare.present();
                if present == 0 && rare.is_none() {
                    return writer.empty_map();
                }
                writer.begin_map(present + rare.map_or(0, $rare::present));
                if present > 0 {
                    $crate::message::fields::write_present!(self, writer, $($field = $key,)*);
                }
                if let Some(rare) = rare {
                    rare.write(writer);
                }
                writer.end_map();
            }
        }

        impl $rare {
            /// How many keys have a value.
            fn present(&self) -> usize {
                use $crate::serializer::OptionValue;
                0 $(+ usize::from(self.$rare_field.is_present()))* + self.extra.len()
            }

            fn write<W: $crate::serializer::Writer>(&self, writer: &mut W) {
                use $crate::serializer::OptionValue;
                $crate::message::fields::write_present!(self, writer, $($rare_field = $rare_key,)*);
                $crate::message::fields::write_extra(&self.extra, writer);
            }
        }
        $crate::message::fields::options!($($rest)*);
    };
}
pub(super) use options;

/// The function that reads options.
macro_rules! read {
    ($($field:ident = $key:literal,)*) => {
        /// The keys that are known, but for private ones.
        pub const KEYS: &'static [&'static str] = &[$($key,)*];

        /// Reads the options, one map. A key whose value is null counts as absent.
        ///
        /// # Errors
        /// The bytes are malformed, or a known key has a value of another type.
        #[inline]
        pub fn read<'a, R: $crate::serializer::Reader<'a>>(
            reader: &mut R,
        ) -> Result<Self, $crate::serializer::DecodeError> {
            let mut options = Self::default();
            let mut map = reader.map()?;
            while reader.more(&mut map)? {
                options.read_key(reader)?;
            }
            Ok(options)
        }

        fn read_key<'a, R: $crate::serializer::Reader<'a>>(
            &mut self,
            reader: &mut R,
        ) -> Result<(), $crate::serializer::DecodeError> {
            let key = reader.key()?;
            match &*key {
                // Clients in JavaScript send the keys that their caller left undefined.
                $($key => if !reader.skip_null() {
                    self.$field = $crate::serializer::OptionValue::read(reader)
                        .map_err(|error| $crate::message::fields::at_key($key, error))?;
                })*
                _ => {
                    let kept = self.extra.len();
                    let other = $crate::message::fields::read_other(&key, kept, reader)?;
                    if let Some(private) = other {
                        self.extra.push(private);
                    }
                }
            }
            Ok(())
        }
    };
}
pub(super) use read;

/// Writes each field that has a value.
macro_rules! write_present {
    ($self:ident, $writer:ident, $($field:ident = $key:literal,)*) => {
        $(if $self.$field.is_present() {
            $writer.key($key);
            $self.$field.write($writer);
        })*
    };
}
pub(super) use write_present;

/// Writes private keys.
pub(super) fn write_extra<W: Writer>(extra: &Extra, writer: &mut W) {
    for (key, value) in extra {
        writer.key(key);
        value.write_to(writer);
    }
}

/// Names the key whose value was wrong.
#[cold]
pub(super) fn at_key(key: &str, error: DecodeError) -> DecodeError {
    DecodeError {
        problem: format!("{key}: {}", error.problem).into(),
        offset: error.offset,
    }
}

/// Reads the value of a private key, of which `kept` are known already, or steps over that of an
/// unknown one.
pub(super) fn read_other<'a, R: Reader<'a>>(
    key: &str,
    kept: usize,
    reader: &mut R,
) -> Result<Option<(String, Value)>, DecodeError> {
    if !is_private(key) {
        reader.skip()?;
        return Ok(None);
    }
    if kept == PRIVATE_KEYS_MAX {
        return Err(reader.error("more than 64 private keys"));
    }
    let value = OptionValue::read(reader).map_err(|error| at_key("a private key", error))?;
    Ok(Some((key.to_owned(), value)))
}

/// Whether `key` is a private key: `_[a-z0-9_]{3,}`.
fn is_private(key: &str) -> bool {
    key.strip_prefix('_').is_some_and(|rest| {
        rest.len() >= 3
            && rest
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    })
}
