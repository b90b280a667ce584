//! Adler-32, zlib's checksum, of data whose parts were summed up apart.

const BASE: u32 = 65_521;

/// The Adler-32 of two texts joined, from the Adler-32 of each (`first`, `second`) and the length of the second.
///
/// An Adler-32 is two sums modulo 65521: `a`, one more than the sum of the bytes, and `b`, the sum of `a` after each byte.
/// Joining adds up the `a`s less the one that was counted twice; and each of the second text's bytes adds the first
/// text's `a`, less that one, to `b`.
pub fn adler32_combine(first: u32, second: u32, second_length: u64) -> u32 {
    let (a1, b1) = (first & 0xffff, first >> 16);
    let (a2, b2) = (second & 0xffff, second >> 16);
    // Both sums are below 65536 and the length is below 65521, so that nothing below overflows 64 bits.
    let length = second_length % u64::from(BASE);
    let a = (a1 + a2 + BASE - 1) % BASE;
    let carried = length * u64::from((a1 + BASE - 1) % BASE);
    let b = (u64::from(b1) + u64::from(b2) + carried) % u64::from(BASE);
    ((b as u32) << 16) | a
}

/// The Adler-32 of some bytes.
pub(crate) fn adler32(bytes: &[u8]) -> u32 {
    zlib_rs::adler32::adler32(1, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_definition(bytes: &[u8]) -> u32 {
        let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
            let a = (a + u32::from(*byte)) % BASE;
            (a, (a + b) % BASE)
        });
        (b << 16) | a
    }

    #[test]
    fn known_sums() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        let long = vec![0xff; 200_000];
        assert_eq!(adler32(&long), by_definition(&long));
        assert_eq!(
            adler32_combine(adler32(&long), adler32(&long), 200_000),
            by_definition(&[long.clone(), long].concat())
        );
    }

    proptest! {
        #[test]
        fn parts_sum_up_to_the_whole(first: Vec<u8>, second: Vec<u8>) {
            let whole = by_definition(&[first.as_slice(), &second].concat());
            prop_assert_eq!(adler32_combine(adler32(&first), adler32(&second), second.len() as u64), whole);
        }

        #[test]
        fn lengths_beyond_32_bits_are_combined_as_zlib_does(first: u32, second: u32, length: u64) {
            // Sums that no data has are left out: each half is below the base, and zlib's answer for others is its own.
            prop_assume!(first & 0xffff < BASE && first >> 16 < BASE && second & 0xffff < BASE && second >> 16 < BASE);
            prop_assert_eq!(
                adler32_combine(first, second, length),
                zlib_rs::adler32::adler32_combine(first, second, length)
            );
        }
    }
}
