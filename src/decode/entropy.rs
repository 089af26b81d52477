//! How evenly the values of bytes are spread: encrypted bytes look random, text and code never do.

/// Shannon entropy in bits per byte, 0 to 8.
pub fn bits_per_byte(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let total = bytes.len() as f64;
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total);
    shares.map(|share| -share * share.log2()).sum()
}

/// Beginnings of files that are compressed, and so look random without being secret.
const COMPRESSED: &[&[u8]] = &[
    b"PK\x03\x04",
    b"\x1F\x8B",
    b"\x89PNG",
    b"\xFF\xD8\xFF",
    b"GIF8",
    b"RIFF",
    b"OggS",
    b"ID3",
    b"fLaC",
    b"\x1A\x45\xDF\xA3",
    b"7z\xBC\xAF\x27\x1C",
    b"Rar!",
    b"\xFD7zXZ",
    b"BZh",
    b"\x28\xB5\x2F\xFD",
    b"\x04\x22\x4D\x18",
    b"\x5D\x00\x00",
    b"wOFF",
    b"wOF2",
    b"%PDF",
    b"SVGA",
    b"KTX ",
    b"\xABKTX",
    b"UnityFS",
    b"UnityRaw",
    b"UnityWeb",
    b"\x13\xAB\xA1\x5C",
    b"PVR\x03",
];

/// Whether a file that begins so is of a known compressed kind: picture, sound, film, font, archive.
pub fn is_compressed(head: &[u8]) -> bool {
    let zlib = matches!(head, [0x78, flags, ..] if (0x7800 + u16::from(*flags)) % 31 == 0);
    let mpeg = matches!(head, [0xFF, second, ..] if second & 0xE0 == 0xE0);
    zlib || mpeg || head.get(4..8) == Some(b"ftyp") || COMPRESSED.iter().any(|magic| head.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_are_told_from_text_and_code() {
        assert_eq!(bits_per_byte(b""), 0.0);
        assert_eq!(bits_per_byte(&[7; 4096]), 0.0);
        let every: Vec<u8> = (0..=255).collect();
        assert!((bits_per_byte(&every) - 8.0).abs() < 1e-9);
        // xorshift
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let random: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .take(1 << 14)
        .collect();
        assert!(bits_per_byte(&random) > 7.9);
        assert!(bits_per_byte(include_str!("entropy.rs").as_bytes()) < 6.0);
    }

    #[test]
    fn compressed_kinds_are_known_by_their_head() {
        assert!(is_compressed(b"\x89PNG\r\n"));
        assert!(is_compressed(b"\x78\x9C\x01"));
        assert!(is_compressed(b"\0\0\0\x20ftypisom"));
        assert!(!is_compressed(b"\x78\x00"));
        assert!(!is_compressed(b""));
    }
}
