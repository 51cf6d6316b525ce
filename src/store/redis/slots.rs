//! Which master of a Cluster has which slot, as a node tells it (`CLUSTER SLOTS`), and which slot a key is in.

use std::collections::BTreeSet;

use crc::{CRC_16_XMODEM, Crc};
use redis::{FromRedisValue, ParsingError, Value, from_redis_value, from_redis_value_ref};

use super::node::Address;

const SLOTS: u16 = 16_384;

/// The slot of a key: of what stands in its first braces, or of all of it (Redis Cluster specification, hash tags).
pub fn slot(key: &str) -> u16 {
    let tagged = key.split_once('{').and_then(|(_, after)| after.split_once('}')).map(|(tag, _)| tag);
    let counted = tagged.filter(|tag| !tag.is_empty()).unwrap_or(key);
    Crc::<u16>::new(&CRC_16_XMODEM).checksum(counted.as_bytes()) % SLOTS
}

/// The masters by their slots.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Slots(Vec<Range>);

#[derive(Debug, PartialEq, Eq)]
struct Range {
    first: u16,
    last: u16,
    master: Address,
}

impl Slots {
    /// Reads what the node at `told_by` answered. A range whose master it does not know is left out.
    pub fn read(answer: Value, told_by: &Address) -> Result<Self, ParsingError> {
        let rows: Vec<Vec<Value>> = from_redis_value(answer)?;
        let mut ranges = Vec::with_capacity(rows.len());
        for row in rows {
            let [first, last, master, ..] = row.as_slice() else { return Err("a row of too few columns".into()) };
            if let Some(master) = master_of(master, told_by)? {
                ranges.push(Range { first: number(first)?, last: number(last)?, master });
            }
        }
        ranges.sort_by_key(|range| range.first);
        Ok(Self(ranges))
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who has `slot`.
    pub fn master(&self, slot: u16) -> Option<&Address> {
        let after = self.0.partition_point(|range| range.first <= slot);
        let range = self.0.get(after.checked_sub(1)?)?;
        (slot <= range.last).then_some(&range.master)
    }

    /// Everybody who has some.
    pub fn masters(&self) -> BTreeSet<&Address> {
        self.0.iter().map(|range| &range.master).collect()
    }
}

/// The crate would cut a larger one off.
fn number(value: &Value) -> Result<u16, ParsingError> {
    let number: i64 = from_redis_value_ref(value)?;
    u16::try_from(number).map_err(|_| "a number that is neither a slot nor a port".into())
}

/// An empty host is that of the node that answers, `?` one that it does not know (CLUSTER SLOTS).
fn master_of(node: &Value, told_by: &Address) -> Result<Option<Address>, ParsingError> {
    let columns = Vec::<Value>::from_redis_value_ref(node)?;
    let [host, port, ..] = columns.as_slice() else { return Err("a node of too few columns".into()) };
    let host = Option::<String>::from_redis_value_ref(host)?.unwrap_or_default();
    Ok(match host.as_str() {
        "?" => None,
        "" => Some((told_by.0.clone(), number(port)?)),
        _ => Some((host, number(port)?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Address {
        ("10.0.0.9".to_owned(), 7000)
    }

    fn read(reply: &str) -> Result<Slots, ParsingError> {
        Slots::read(redis::parse_redis_value(reply.as_bytes()).unwrap(), &told())
    }

    // The vectors of the Redis Cluster specification.
    #[test]
    fn a_key_is_in_the_slot_of_its_tag() {
        assert_eq!(slot("123456789"), 0x31c3);
        assert_eq!(slot("{user1000}.following"), slot("{user1000}.followers"));
        assert_eq!(slot("foo{}{bar}"), Crc::<u16>::new(&CRC_16_XMODEM).checksum(b"foo{}{bar}") % SLOTS);
        assert_eq!(slot("foo{{bar}}zap"), slot("{bar"));
        assert_eq!(slot("foo{bar}{zap}"), slot("bar"));
    }

    #[test]
    fn every_slot_is_its_masters() {
        let slots = read(
            "*3\r\n*3\r\n:5461\r\n:16383\r\n*2\r\n$8\r\n10.0.0.2\r\n:7001\r\n\
             *4\r\n:0\r\n:5000\r\n*3\r\n$0\r\n\r\n:7000\r\n$2\r\nid\r\n*2\r\n$8\r\n10.0.0.3\r\n:7002\r\n\
             *3\r\n:5001\r\n:5100\r\n*2\r\n$1\r\n?\r\n:7003\r\n",
        )
        .unwrap();
        let (here, there) = (told(), ("10.0.0.2".to_owned(), 7001));
        for (slot, master) in [(0, Some(&here)), (5000, Some(&here)), (5461, Some(&there)), (16_383, Some(&there))] {
            assert_eq!(slots.master(slot), master, "{slot}");
        }
        // Of an unknown master, and of nobody.
        assert_eq!((slots.master(5050), slots.master(5460)), (None, None));
        assert_eq!(slots.masters(), BTreeSet::from([&there, &here]));
        assert!(Slots::default().master(7).is_none());
    }

    #[test]
    fn what_is_no_table_of_slots_is_refused() {
        for reply in [
            "+OK\r\n",
            "*1\r\n*1\r\n:1\r\n",
            "*1\r\n*3\r\n:1\r\n:2\r\n*0\r\n",
            "*1\r\n*3\r\n:-1\r\n:2\r\n*2\r\n$1\r\na\r\n:1\r\n",
        ] {
            assert!(read(reply).is_err(), "{reply}");
        }
        assert!(read("*0\r\n").unwrap().is_empty());
    }
}
