//! Pages of lists. Where the next one begins is told by a token that is good for the same list and nothing else (P02).

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Pool, Pools};
use crate::clock::Timestamp;
use crate::crypto::{self, MacKey};
use crate::error::Error;

/// Things on a page at most, and where nothing is said.
const LARGEST: u32 = 60;

/// Which page is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageOf<'a> {
    /// How many things, at most 60; none or 0 is 60.
    pub limit: Option<u32>,
    /// What the page before said; none for the first.
    pub token: Option<&'a str>,
}

impl PageOf<'_> {
    /// Things on this page at most.
    pub(super) fn size(self) -> usize {
        self.limit.filter(|limit| *limit > 0).unwrap_or(LARGEST).min(LARGEST) as usize
    }

    /// One more shows whether there is another page.
    pub(super) fn size_and_one(self) -> u32 {
        u32::try_from(self.size()).unwrap_or(LARGEST) + 1
    }
}

/// A page.
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What asks for the next one; none on the last.
    pub next: Option<String>,
}

impl Pool {
    /// Where a page begins: after this place of the list `query`. Errors: `InvalidParameter` when the token was not
    /// given for this list.
    pub(super) fn position<P: DeserializeOwned>(
        &self,
        query: &[&str],
        token: Option<&str>,
    ) -> Result<Option<P>, Error> {
        position(&self.secrets.page, query, token)
    }

    /// Cuts what was found, one more than a page if there is more, and says where the next page begins.
    pub(super) fn cut<T, P: Serialize>(
        &self,
        items: Vec<T>,
        size: usize,
        query: &[&str],
        place: impl Fn(&T) -> P,
    ) -> Result<Page<T>, Error> {
        cut(&self.secrets.page, items, size, query, place)
    }
}

impl Pools {
    /// A page of a list that is short enough to be read whole, oldest first. `order` is when a thing was made, and its
    /// id. Errors: `InvalidParameter` when the token was not given for this list.
    pub fn page<T>(
        &self,
        query: &[&str],
        mut all: Vec<T>,
        order: impl Fn(&T) -> (Timestamp, String),
        page: PageOf<'_>,
    ) -> Result<Page<T>, Error> {
        let key = self.root()?.mac_key("page", "")?;
        let after: Option<(Timestamp, String)> = position(&key, query, page.token)?;
        all.retain(|item| after.as_ref().is_none_or(|after| order(item) > *after));
        all.sort_by_key(&order);
        all.truncate(page.size() + 1);
        cut(&key, all, page.size(), query, order)
    }
}

fn position<P: DeserializeOwned>(key: &MacKey, query: &[&str], token: Option<&str>) -> Result<Option<P>, Error> {
    let Some(token) = token else { return Ok(None) };
    let place = || {
        let (place, tag) = token.split_once('.')?;
        let place = crypto::decode(place)?;
        let genuine = crypto::same(&crypto::decode(tag)?, &page_tag(key, query, &place));
        serde_json::from_slice(&place).ok().filter(|_| genuine)
    };
    place().map(Some).ok_or_else(|| Error::invalid("Token", "is not one of this list"))
}

fn cut<T, P: Serialize>(
    key: &MacKey,
    mut items: Vec<T>,
    size: usize,
    query: &[&str],
    place: impl Fn(&T) -> P,
) -> Result<Page<T>, Error> {
    let more = items.len() > size;
    items.truncate(size);
    let next = match items.last().filter(|_| more) {
        Some(last) => {
            let place = serde_json::to_vec(&place(last)).map_err(Error::internal)?;
            Some(format!("{}.{}", crypto::encode(&place), crypto::encode(page_tag(key, query, &place))))
        }
        None => None,
    };
    Ok(Page { items, next })
}

fn page_tag(key: &MacKey, query: &[&str], place: &[u8]) -> [u8; 32] {
    let parts: Vec<&[u8]> = query.iter().map(|part| part.as_bytes()).chain([place]).collect();
    key.tag(&parts)
}
