//! The integer that stands for a user on the wire. The store counts users; a keyed permutation of that count tells
//! neither how many there are nor who came when, and an id made up for nobody cannot be told from one of somebody.

use super::Pool;
use super::name::Username;
use crate::crypto::MacKey;
use crate::error::Error;
use crate::store::directory::User;

const GREATEST: u32 = i32::MAX.cast_unsigned();
const ROUNDS: std::ops::Range<u8> = 0..8;

/// The permutation of 1 to 2³¹-1 of one pool.
pub(super) struct PublicIds(pub(super) MacKey);

impl PublicIds {
    /// A count beyond the range stands for itself, so that ids stay unique whatever happens.
    fn hide(&self, id: i64) -> i64 {
        self.walk(id, |block| self.forth(block)).unwrap_or(id)
    }

    fn reveal(&self, id: i64) -> i64 {
        self.walk(id, |block| self.back(block)).unwrap_or(id)
    }

    /// Follows a permutation of 32 bits from a number of the range to the next one of the range.
    fn walk(&self, id: i64, step: impl Fn(u32) -> u32) -> Option<i64> {
        let start = u32::try_from(id).ok().filter(in_range)?;
        let mut path = std::iter::successors(Some(step(start)), |block| Some(step(*block)));
        path.find(in_range).map(i64::from)
    }

    fn forth(&self, block: u32) -> u32 {
        ROUNDS.fold(block, |block, round| {
            let (left, right) = halves(block);
            join(right, left ^ self.mix(round, right))
        })
    }

    fn back(&self, block: u32) -> u32 {
        ROUNDS.rev().fold(block, |block, round| {
            let (left, right) = halves(block);
            join(right ^ self.mix(round, left), left)
        })
    }

    fn mix(&self, round: u8, half: u16) -> u16 {
        let [high, low, ..] = self.0.tag(&[&[round], &half.to_be_bytes()]);
        u16::from_be_bytes([high, low])
    }
}

fn in_range(block: &u32) -> bool {
    (1..=GREATEST).contains(block)
}

fn halves(block: u32) -> (u16, u16) {
    let [a, b, c, d] = block.to_be_bytes();
    (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

fn join(left: u16, right: u16) -> u32 {
    u32::from(left) << 16 | u32::from(right)
}

impl Pool {
    /// The user's id on the wire.
    pub fn public_id(&self, user: &User) -> i64 {
        self.secrets.public_ids.hide(user.id)
    }

    /// The id on the wire of a name, whoever has it or nobody: always the same, in the range of the others.
    pub fn absent_public_id(&self, name: &str) -> i64 {
        let key = Username::parse(name).map_or_else(|_| name.to_owned(), |username| username.key);
        let [a, b, c, d, ..] = self.secrets.absent.tag(&[b"public-id", key.as_bytes()]);
        i64::from((u32::from_be_bytes([a, b, c, d]) & GREATEST).max(1))
    }

    /// The user with this id on the wire, in its one spelling.
    pub async fn user_by_public_id(&self, id: &str) -> Result<Option<User>, Error> {
        match id.parse::<i64>() {
            Ok(number) if number > 0 && number.to_string() == id => {
                self.ports.directory.user_by_id(self.id(), self.secrets.public_ids.reveal(number)).await
            }
            Ok(_) | Err(_) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::crypto::RootSecret;

    fn ids(secret: u8) -> PublicIds {
        PublicIds(RootSecret::new([secret; 32]).mac_key("public-id", "pool").unwrap())
    }

    #[test]
    fn the_first_ten_thousand_users_have_as_many_ids_and_each_leads_back() {
        let ids = ids(1);
        let mut seen = HashSet::new();
        for user in 1..=10_000 {
            let id = ids.hide(user);
            assert!((1..=i64::from(i32::MAX)).contains(&id) && seen.insert(id), "{user} is {id}");
            assert_eq!(ids.reveal(id), user);
        }
        let below_the_middle = seen.iter().filter(|id| **id < 1 << 30).count();
        assert!((4_700..5_300).contains(&below_the_middle), "{below_the_middle}: the ids tell of their order");
    }

    #[test]
    fn the_ends_of_the_range_are_in_it_and_what_lies_beyond_stands_for_itself() {
        let ids = ids(1);
        for user in [1, 2, (1 << 31) - 2, (1 << 31) - 1] {
            assert_eq!(ids.reveal(ids.hide(user)), user);
        }
        for user in [0, -1, 1 << 31, i64::MAX] {
            assert_eq!((ids.hide(user), ids.reveal(user)), (user, user));
        }
    }

    #[test]
    fn another_key_gives_other_ids() {
        let same = (1..=1_000).filter(|user| ids(1).hide(*user) == ids(2).hide(*user)).count();
        assert!(same < 3, "{same}");
    }
}
