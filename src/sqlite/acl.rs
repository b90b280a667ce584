//! POSIX access control lists, as the kernel keeps them in an extended attribute: a version, then entries of a tag (2 bytes),
//! permissions (2 bytes) and an id (4 bytes), all with the lowest byte first.

const VERSION: usize = 4;
const ENTRY: usize = 8;
/// The owning group.
const GROUP: u16 = 0x04;
/// Everybody else.
const OTHER: u16 = 0x20;

fn permissions(list: &[u8], tag: u16) -> Option<u32> {
    let entries = list.get(VERSION..)?.as_chunks::<ENTRY>().0;
    let entry = entries.iter().find(|entry| u16::from_le_bytes([entry[0], entry[1]]) == tag)?;
    Some(u32::from(u16::from_le_bytes([entry[2], entry[3]]) & 7))
}

/// `mode` with no more for the group than others have.
pub(super) fn without_group(mode: u32) -> u32 {
    mode & (0o7707 | ((mode & 7) << 3))
}

/// `list` with no more for the owning group than others have.
pub(super) fn list_without_group(list: &[u8]) -> Vec<u8> {
    let others = permissions(list, OTHER).unwrap_or(0);
    let mut list = list.to_vec();
    let entries = list.get_mut(VERSION..).unwrap_or_default().as_chunks_mut::<ENTRY>().0;
    for entry in entries.iter_mut().filter(|entry| u16::from_le_bytes([entry[0], entry[1]]) == GROUP) {
        entry[2] &= others as u8;
        entry[3] = 0;
    }
    list
}

/// What is left of `mode` for a file without its `list`. The group's place in the mode of a file with a list is the most
/// that the list gives to anybody; without the list, it is the group's.
pub(super) fn mode_without_list(mode: u32, list: &[u8]) -> u32 {
    mode & (0o7707 | (permissions(list, GROUP).unwrap_or(0) << 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The owner rw, the user 1000 rw, the group nothing, others r, at most rw.
    fn sample() -> Vec<u8> {
        let mut list = vec![2, 0, 0, 0];
        for (tag, permissions, id) in
            [(1u16, 6u16, u32::MAX), (2, 6, 1000), (4, 0, u32::MAX), (16, 6, u32::MAX), (32, 4, u32::MAX)]
        {
            list.extend(tag.to_le_bytes());
            list.extend(permissions.to_le_bytes());
            list.extend(id.to_le_bytes());
        }
        list
    }

    #[test]
    fn the_mask_does_not_become_the_groups() {
        assert_eq!(mode_without_list(0o664, &sample()), 0o604);
        assert_eq!(mode_without_list(0o660, b""), 0o600);
    }

    #[test]
    fn a_strange_group_gets_what_others_have() {
        assert_eq!(without_group(0o660), 0o600);
        assert_eq!(without_group(0o2664), 0o2644);
        let mut open = sample();
        open[VERSION + 2 * ENTRY + 2] = 7;
        let closed = list_without_group(&open);
        assert_eq!(permissions(&closed, GROUP), Some(4));
        assert_eq!(permissions(&closed, OTHER), Some(4));
    }
}
