//! The headers of an HTTP head, and what HTTP says about comparing them.

/// Headers in the order they came, borrowed from the received bytes.
#[derive(Debug, Clone)]
pub struct Headers<'b>(Vec<httparse::Header<'b>>);

impl<'b> Headers<'b> {
    pub(super) fn new(parsed: &[httparse::Header<'b>]) -> Self {
        Self(parsed.to_vec())
    }

    /// All headers.
    pub fn iter(&self) -> impl Iterator<Item = (&'b str, &'b [u8])> {
        self.0
            .iter()
            .map(|header| (header.name, header.value.trim_ascii()))
    }

    /// Every value of the header `name`, whatever the case of its letters.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'b [u8]> {
        self.iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|it| it.1)
    }

    /// The value of the header `name` if it came exactly once.
    #[must_use]
    pub fn single(&self, name: &str) -> Option<&'b [u8]> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// The comma-separated elements of all headers called `name`, in order.
    pub fn elements(&self, name: &str) -> impl Iterator<Item = &'b [u8]> {
        self.values(name)
            .flat_map(|value| value.split(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|element| !element.is_empty())
    }

    /// Whether `token` is among the elements of the header `name`; letters' case does not matter.
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.elements(name)
            .any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }
}

/// A peer's bytes as text for a message to people: no control characters, not endless.
pub(super) fn printable(bytes: &[u8]) -> String {
    const CHARS_MAX: usize = 200;
    String::from_utf8_lossy(bytes)
        .chars()
        .take(CHARS_MAX)
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect::<String>()
        .trim()
        .to_owned()
}
