//! How a file that comes in chunks is cut, and how much of such may come.

use std::time::Duration;

/// Bytes of every chunk but the last: a chunk is one part in the object store, which wants at least
/// 5 MiB, and is sent again whole when its connection breaks, which wants it small.
pub const CHUNK_BYTES: i32 = 8 * 1024 * 1024;

/// Chunks that are received at one time, of all users. Each holds the message of its client that
/// came last, of up to 4 MiB, while the next one comes; the container has 128 MiB for this and for
/// imports.
pub const CHUNKS_MAX: usize = 3;

/// Chunks of one user that are received at one time, so that nobody takes the places of all.
pub const USER_CHUNKS_MAX: usize = 2;

/// How long a chunk waits for a place before its client is told to come again.
pub const PLACE_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long a chunk may hold its place while it comes: 14 kilobytes a second.
pub const CHUNK_TIME_MAX: Duration = Duration::from_secs(10 * 60);

/// How long the store may take to answer when it has the last byte of a chunk.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Files that are put together at one time; each is read once, and holds a connection of the
/// database while the store works.
pub const FINISHES_MAX: usize = 2;

/// How long putting together may take, waiting included: less than the gateway waits.
pub const FINISH_TIME_MAX: Duration = Duration::from_secs(50);

/// Uploads in chunks that one user may have unfinished.
pub const UNFINISHED_MAX: i64 = 20;

/// A file as its client announced it, cut into chunks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Bytes of the file, at least 1.
    pub size_bytes: i64,
    /// Bytes of every chunk but the last, at least 1.
    pub chunk_bytes: i32,
}

impl Cut {
    /// How many chunks there are.
    #[must_use]
    pub fn count(self) -> i32 {
        let chunk = i64::from(self.chunk_bytes).max(1);
        let whole = self.size_bytes / chunk + i64::from(self.size_bytes % chunk > 0);
        i32::try_from(whole).unwrap_or(i32::MAX)
    }

    /// The bytes of this chunk, if there is one of this number.
    #[must_use]
    pub fn bytes_of(self, number: i32) -> Option<u64> {
        if !(0..self.count()).contains(&number) {
            return None;
        }
        let begin = i64::from(number) * i64::from(self.chunk_bytes);
        let bytes = (self.size_bytes - begin).min(self.chunk_bytes.into());
        u64::try_from(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_of_one_size_and_the_last_has_what_is_left() {
        let mib = 1024 * 1024;
        for (size_bytes, expected) in [
            (1, vec![1]),
            (8 * mib - 1, vec![8 * mib - 1]),
            (8 * mib, vec![8 * mib]),
            (8 * mib + 1, vec![8 * mib, 1]),
            (20 * mib, vec![8 * mib, 8 * mib, 4 * mib]),
            (256 * mib, vec![8 * mib; 32]),
        ] {
            let cut = Cut {
                size_bytes,
                chunk_bytes: CHUNK_BYTES,
            };
            let found: Vec<i64> = (0..cut.count())
                .map(|number| i64::try_from(cut.bytes_of(number).unwrap()).unwrap())
                .collect();
            assert_eq!(found, expected, "{size_bytes}");
            for number in [-1, cut.count(), i32::MIN, i32::MAX] {
                assert_eq!(cut.bytes_of(number), None, "{size_bytes}: {number}");
            }
        }
    }
}
