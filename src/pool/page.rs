//! Page tokens: where a listing goes on. A token is bound to its listing and cannot be made up (P02).

use super::Pools;
use crate::crypto;
use crate::error::Error;

impl Pools {
    /// The token that goes on after `last` in the listing `query`: what is listed, how it is filtered, and of what pool.
    pub fn page_token(&self, query: &str, last: &str) -> Result<String, Error> {
        let tag = self.page_tag(query, last)?;
        Ok(format!("{}.{}", crypto::encode(last), crypto::encode(tag)))
    }

    /// What `token` goes on after. Errors: `InvalidParameter` for a token of another listing, or of nobody.
    pub fn page_start(&self, query: &str, token: &str) -> Result<String, Error> {
        let refused = || Error::invalid("The pagination token", "is not one of this listing");
        let (last, tag) = token.split_once('.').ok_or_else(refused)?;
        let (last, tag) = crypto::decode(last).zip(crypto::decode(tag)).ok_or_else(refused)?;
        let last = String::from_utf8(last).map_err(|_| refused())?;
        if crypto::same(&tag, &self.page_tag(query, &last)?) { Ok(last) } else { Err(refused()) }
    }

    fn page_tag(&self, query: &str, last: &str) -> Result<[u8; 32], Error> {
        Ok(self.root()?.mac_key("page", "")?.tag(&[query.as_bytes(), last.as_bytes()]))
    }
}
