//! Pages of listings that are read whole because they are short: pools, clients, secrets (contract cognito (h)).

use super::fault::Fault;
use crate::clock::Timestamp;
use crate::pool::Pools;

/// Items of a page where the call names no number, and at most.
const MOST: usize = 60;

/// One page.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// The token of the next one, if there is one.
    pub(super) next: Option<String>,
}

/// What a page is cut from.
pub(super) struct Listing<'a, T> {
    pub(super) pools: &'a Pools,
    /// What is listed, and of what pool.
    pub(super) query: String,
    /// Everything there is.
    pub(super) all: Vec<T>,
    /// What orders it: when it was made, and its id.
    pub(super) order: fn(&T) -> (Timestamp, &str),
}

impl<T> Listing<'_, T> {
    /// The page after `token`, of at most `limit` items. Errors: the token is of another listing.
    pub(super) fn page(self, token: Option<&str>, limit: Option<usize>) -> Result<Page<T>, Fault> {
        let key = |item: &T| {
            let (made, id) = (self.order)(item);
            format!("{:020}|{id}", made.0)
        };
        let start = token.map(|token| self.pools.page_start(&self.query, token)).transpose()?;
        let mut items = self.all;
        items.sort_by_key(key);
        items.retain(|item| start.as_ref().is_none_or(|start| key(item) > *start));
        let limit = limit.filter(|limit| *limit > 0).unwrap_or(MOST).min(MOST);
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more).map(key);
        let next = last.map(|last| self.pools.page_token(&self.query, &last)).transpose()?;
        Ok(Page { items, next })
    }
}
