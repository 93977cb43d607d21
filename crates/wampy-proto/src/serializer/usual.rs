//! Shortcuts to messages in the form in which nearly all of them come.
//!
//! Each gives up with `None` as soon as anything is unusual. Then the message is read once more, from
//! its begin, by [`Reader`], which knows every form and says what is wrong: so nothing here is an
//! error, and nothing here may accept what a reader refuses.

use super::Reader;

/// The encoded args and kwargs of a message; an empty slice is absent.
pub(crate) type Parts<'a> = (&'a [u8], &'a [u8]);

/// Reads the parts of a message in their usual form.
pub(crate) trait UsualReader<'a>: Reader<'a> + Clone {
    /// Steps over the begin of a message's list and its code, a number of two digits. Returns the code,
    /// and how many elements follow; in JSON, where only the end tells, as many as there may be.
    fn usual_code(&mut self) -> Option<(u8, u8)>;

    /// Steps over what stands between two elements: in all serializers but JSON, nothing.
    #[inline(always)]
    fn usual_separator(&mut self) -> Option<()> {
        Some(())
    }

    /// Steps over a map without pairs, if one comes next.
    fn usual_empty_map(&mut self) -> bool;

    /// Steps over a payload, which is the last `elements` elements, and over the end of the message,
    /// behind which nothing may follow.
    fn usual_payload(&mut self, elements: u8) -> Option<Parts<'a>>;
}

/// Steps over `prefix`, if that comes next.
#[inline(always)]
pub(super) fn step_over(rest: &mut &[u8], prefix: &[u8]) -> bool {
    let behind = rest.strip_prefix(prefix);
    if let Some(behind) = behind {
        *rest = behind;
    }
    behind.is_some()
}

/// A payload where the number of elements is known.
#[inline(always)]
pub(super) fn counted_payload<'a>(
    elements: u8,
    mut list_or_map: impl FnMut(bool) -> Option<&'a [u8]>,
) -> Option<Parts<'a>> {
    Some(match elements {
        0 => (&[], &[]),
        1 => (list_or_map(false)?, &[]),
        2 => (list_or_map(false)?, list_or_map(true)?),
        _ => return None,
    })
}
