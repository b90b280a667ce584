//! xxHash's 32-bit form, by which LZ4 frames check themselves.

const P1: u32 = 0x9e37_79b1;
const P2: u32 = 0x85eb_ca77;
const P3: u32 = 0xc2b2_ae3d;
const P4: u32 = 0x27d4_eb2f;
const P5: u32 = 0x1656_67b1;

/// A sum, with seed 0, of bytes that come in pieces.
#[derive(Debug, Clone)]
pub(crate) struct Xxh32 {
    lanes: [u32; 4],
    rest: [u8; 16],
    held: usize,
    length: u64,
}

impl Xxh32 {
    pub(crate) fn new() -> Self {
        Self { lanes: [P1.wrapping_add(P2), P2, 0, 0_u32.wrapping_sub(P1)], rest: [0; 16], held: 0, length: 0 }
    }

    pub(crate) fn of(bytes: &[u8]) -> u32 {
        let mut sum = Self::new();
        sum.update(bytes);
        sum.finish()
    }

    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if self.held > 0 {
            let n = bytes.len().min(16 - self.held);
            self.rest[self.held..self.held + n].copy_from_slice(&bytes[..n]);
            self.held += n;
            bytes = &bytes[n..];
            if self.held < 16 {
                return;
            }
            let rest = self.rest;
            self.stripe(&rest);
            self.held = 0;
        }
        let (stripes, rest) = bytes.as_chunks::<16>();
        for stripe in stripes {
            self.stripe(stripe);
        }
        self.rest[..rest.len()].copy_from_slice(rest);
        self.held = rest.len();
    }

    fn stripe(&mut self, stripe: &[u8; 16]) {
        for (lane, word) in self.lanes.iter_mut().zip(stripe.as_chunks::<4>().0) {
            let sum = lane.wrapping_add(u32::from_le_bytes(*word).wrapping_mul(P2));
            *lane = sum.rotate_left(13).wrapping_mul(P1);
        }
    }

    pub(crate) fn finish(&self) -> u32 {
        let [a, b, c, d] = self.lanes;
        let mut hash = if self.length >= 16 {
            let sum = a.rotate_left(1).wrapping_add(b.rotate_left(7));
            sum.wrapping_add(c.rotate_left(12)).wrapping_add(d.rotate_left(18))
        } else {
            P5
        };
        hash = hash.wrapping_add(self.length as u32);
        let (words, bytes) = self.rest[..self.held].as_chunks::<4>();
        for word in words {
            hash = hash.wrapping_add(u32::from_le_bytes(*word).wrapping_mul(P3)).rotate_left(17).wrapping_mul(P4);
        }
        for byte in bytes {
            hash = hash.wrapping_add(u32::from(*byte).wrapping_mul(P5)).rotate_left(11).wrapping_mul(P1);
        }
        hash = (hash ^ (hash >> 15)).wrapping_mul(P2);
        hash = (hash ^ (hash >> 13)).wrapping_mul(P3);
        hash ^ (hash >> 16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_sums() {
        assert_eq!(Xxh32::of(b""), 0x02cc_5d05);
        assert_eq!(Xxh32::of(b"a"), 0x550d_7456);
        assert_eq!(Xxh32::of(b"abc"), 0x32d1_53ff);
        assert_eq!(Xxh32::of(b"Nobody inspects the spammish repetition"), 0xe229_3b2f);
    }

    proptest! {
        #[test]
        fn pieces_sum_up_to_the_whole(pieces: Vec<Vec<u8>>) {
            let mut sum = Xxh32::new();
            for piece in &pieces {
                sum.update(piece);
            }
            prop_assert_eq!(sum.finish(), Xxh32::of(&pieces.concat()));
        }
    }
}
