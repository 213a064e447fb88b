//! Follows the length-prefixed messages of a gRPC body without decoding them.

/// Bytes before each message: a flag and the length.
const PREFIX_BYTES: usize = 5;

/// Where in a body the last byte seen stands.
#[derive(Default, Debug)]
pub(crate) struct Framing {
    prefix: [u8; PREFIX_BYTES],
    prefix_len: usize,
    message_left: usize,
}

/// A message announced itself as larger than allowed.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct TooLarge;

impl Framing {
    /// Takes the next bytes of the body, cut anywhere. Fails as soon as a prefix announces a
    /// message of more than `bytes_max`, before any of its bytes.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], bytes_max: usize) -> Result<(), TooLarge> {
        while !bytes.is_empty() {
            if self.message_left > 0 {
                let taken = self.message_left.min(bytes.len());
                self.message_left -= taken;
                bytes = &bytes[taken..];
                continue;
            }
            let taken = (PREFIX_BYTES - self.prefix_len).min(bytes.len());
            self.prefix[self.prefix_len..self.prefix_len + taken].copy_from_slice(&bytes[..taken]);
            self.prefix_len += taken;
            bytes = &bytes[taken..];
            if self.prefix_len == PREFIX_BYTES {
                let [_, a, b, c, d] = self.prefix;
                let length = u32::from_be_bytes([a, b, c, d]) as usize;
                if length > bytes_max {
                    return Err(TooLarge);
                }
                self.message_left = length;
                self.prefix_len = 0;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Framing, TooLarge};

    const BODY: [u8; 17] = [0, 0, 0, 0, 2, 7, 7, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3];

    #[test]
    fn a_body_may_be_cut_anywhere() {
        for size in 1..=BODY.len() {
            let mut framing = Framing::default();
            for piece in BODY.chunks(size) {
                assert_eq!(framing.feed(piece, 3), Ok(()), "pieces of {size}");
            }
            assert_eq!(framing.message_left, 3, "pieces of {size}");
        }
    }

    #[test]
    fn a_large_message_is_refused_by_its_prefix() {
        for size in 1..=BODY.len() {
            let mut framing = Framing::default();
            let refused = BODY.chunks(size).map(|piece| framing.feed(piece, 2)).last();
            assert_eq!(refused, Some(Err(TooLarge)), "pieces of {size}");
        }
    }
}
