//! A value in one serializer → the same value in another, token by token.

use super::{
    DEPTH_MAX, DecodeError, NESTED_TOO_DEEPLY, Reader, Seq, Serializer, Token, Writer, with_reader,
};

/// Reads one value, all of `encoded`, and writes it with `writer`.
///
/// No tree is built: the only memory taken is that of the output. Keys that are integers become
/// text. On an error the writer's output ends somewhere within the value.
///
/// # Errors
/// The bytes are malformed or nested deeper than [`DEPTH_MAX`].
pub fn transcode<W: Writer>(
    from: Serializer,
    encoded: &[u8],
    writer: &mut W,
) -> Result<(), DecodeError> {
    with_reader!(from, encoded, |reader| {
        value(&mut reader, writer, DEPTH_MAX)?;
        reader.finish()
    })
}

/// Whether `encoded` is one well-formed value with at most `depth` levels of lists and maps.
pub(crate) fn is_nested_within(serializer: Serializer, encoded: &[u8], depth: usize) -> bool {
    with_reader!(serializer, encoded, |reader| {
        pass_over(&mut reader, depth).is_ok() && reader.finish().is_ok()
    })
}

fn pass_over<'a, R: Reader<'a>>(reader: &mut R, depth: usize) -> Result<(), DecodeError> {
    let (Token::List(mut seq) | Token::Map(mut seq)) = reader.token()? else {
        return Ok(());
    };
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| reader.error(NESTED_TOO_DEEPLY))?;
    let is_map = seq.is_map;
    while reader.more(&mut seq)? {
        if is_map {
            reader.key()?;
        }
        pass_over(reader, depth)?;
    }
    Ok(())
}

fn value<'a, R: Reader<'a>, W: Writer>(
    reader: &mut R,
    writer: &mut W,
    depth: usize,
) -> Result<(), DecodeError> {
    match reader.token()? {
        Token::Null => writer.null(),
        Token::Bool(value) => writer.bool(value),
        Token::Unsigned(value) => writer.unsigned(value),
        Token::Signed(value) => writer.signed(value),
        Token::Float(value) => writer.float(value),
        Token::Text(value) => writer.text(&value),
        Token::Bytes(value) => writer.bytes(&value),
        Token::List(seq) | Token::Map(seq) => container(reader, writer, seq, depth)?,
    }
    Ok(())
}

fn container<'a, R: Reader<'a>, W: Writer>(
    reader: &mut R,
    writer: &mut W,
    mut seq: Seq,
    depth: usize,
) -> Result<(), DecodeError> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| reader.error(NESTED_TOO_DEEPLY))?;
    let is_map = seq.is_map;
    let open = writer.begin_uncounted(is_map);
    let mut len = 0;
    while reader.more(&mut seq)? {
        if is_map {
            writer.key(&reader.key()?);
        }
        value(reader, writer, depth)?;
        len += 1;
    }
    writer.end_uncounted(open, len);
    Ok(())
}
