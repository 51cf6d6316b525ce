//! Pages of lists. Where the next one begins is told by a token that is good for the same list and nothing else (P02).

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Pool;
use crate::crypto;
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
        let Some(token) = token else { return Ok(None) };
        let place = || {
            let (place, tag) = token.split_once('.')?;
            let place = crypto::decode(place)?;
            let genuine = crypto::same(&crypto::decode(tag)?, &self.page_tag(query, &place));
            serde_json::from_slice(&place).ok().filter(|_| genuine)
        };
        place().map(Some).ok_or_else(|| Error::invalid("Token", "is not one of this list"))
    }

    /// Cuts what was found, one more than a page if there is more, and says where the next page begins.
    pub(super) fn cut<T, P: Serialize>(
        &self,
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
                Some(format!("{}.{}", crypto::encode(&place), crypto::encode(self.page_tag(query, &place))))
            }
            None => None,
        };
        Ok(Page { items, next })
    }

    fn page_tag(&self, query: &[&str], place: &[u8]) -> [u8; 32] {
        let parts: Vec<&[u8]> = query.iter().map(|part| part.as_bytes()).chain([place]).collect();
        self.secrets.page.tag(&parts)
    }
}
