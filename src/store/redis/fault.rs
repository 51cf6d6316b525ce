//! What an error of Redis means: whether the step was done, whether the connection is still good, and what an
//! operator should know. All of them are `Unavailable`, never a verdict.

use redis::{ErrorKind, RedisError};

use super::call::Call;
use crate::error::Error;

/// What is known after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Redis refused before doing anything, and a fresh connection may reach one that does not.
    Elsewhere,
    /// The connection is lost or silent: the step may or may not have been done.
    Lost,
    /// Redis refused, and would again.
    Refused,
}

/// Our own code beside those of Redis: the step was done, and only the master has it.
const UNREPLICATED: &str = "UNREPLICATED";

/// No replica has acknowledged a step.
pub fn unreplicated() -> RedisError {
    redis::make_extension_error(UNREPLICATED.to_owned(), None)
}

/// What the code of a server's error means.
fn known(code: &str) -> Option<(Outcome, &'static str)> {
    Some(match code {
        "READONLY" => (Outcome::Elsewhere, "Redis is a replica and takes no writes: a failover, or a wrong address"),
        "LOADING" => (Outcome::Elsewhere, "Redis is still loading its data"),
        "MASTERDOWN" => (Outcome::Elsewhere, "this replica of Redis has lost its master"),
        "CLUSTERDOWN" => (Outcome::Elsewhere, "the Redis Cluster has lost some of its slots"),
        "TRYAGAIN" => (Outcome::Elsewhere, "the Redis Cluster is moving these keys"),
        "NOAUTH" => (Outcome::Elsewhere, "Redis asks for a password: put it into tokens.url"),
        "WRONGPASS" => (Outcome::Elsewhere, "Redis refuses the user or password in tokens.url"),
        "NOPERM" => (Outcome::Refused, "the user in tokens.url may not do this in Redis: see the ACL it needs"),
        "OOM" => (Outcome::Refused, "Redis is full: raise maxmemory"),
        "MISCONF" => (Outcome::Refused, "Redis cannot write to its disk and refuses changes"),
        UNREPLICATED => (Outcome::Refused, "no replica of Redis has it in time, as tokens.durability asks for"),
        "NOREPLICAS" => (Outcome::Refused, "Redis has fewer replicas than min-replicas-to-write"),
        "BUSY" => (Outcome::Refused, "a script of somebody else blocks Redis"),
        "MOVED" | "ASK" => (Outcome::Refused, "this Redis is part of a Cluster: write redis-cluster:// in tokens.url"),
        _ => return None,
    })
}

/// What `fault` says about the step and the connection.
pub fn outcome(fault: &RedisError) -> Outcome {
    match fault.code() {
        Some(code) => known(code).map_or(Outcome::Refused, |(outcome, _)| outcome),
        None if fault.kind() == ErrorKind::AuthenticationFailed => Outcome::Elsewhere,
        None => Outcome::Lost,
    }
}

/// Whether a step may be sent again after `fault`. After silence the deadline leaves no time for that.
pub fn may_be_sent_again(fault: &RedisError, call: &Call) -> bool {
    match outcome(fault) {
        Outcome::Elsewhere => true,
        Outcome::Lost => call.is_repeatable() && !fault.is_timeout(),
        Outcome::Refused => false,
    }
}

/// Why nothing is sent at the end.
pub fn stopping() -> RedisError {
    (ErrorKind::Io, "the process is stopping").into()
}

/// No node of a Cluster has a key's slot.
pub fn unserved() -> RedisError {
    redis::make_extension_error("CLUSTERDOWN".to_owned(), None)
}

/// The nodes of a Cluster point at each other.
pub fn unsettled() -> RedisError {
    redis::make_extension_error("TRYAGAIN".to_owned(), None)
}

/// `fault` as the domain says it, with a cause that an operator can act on.
pub fn unavailable(fault: &RedisError) -> Error {
    let meaning = fault.code().and_then(known).map(|(_, meaning)| meaning);
    Error::unavailable(match (fault.code(), meaning) {
        (Some(code), Some(meaning)) => format!("token store: {meaning} ({code})"),
        (None, _) if fault.kind() == ErrorKind::AuthenticationFailed => {
            "token store: Redis refuses the user or password in tokens.url (WRONGPASS)".to_owned()
        }
        (_, _) => format!("token store: Redis: {fault}"),
    })
}

/// No answer in the time allowed.
pub fn silent() -> Error {
    Error::unavailable("token store: Redis did not answer in time")
}

#[cfg(test)]
mod tests {
    use super::*;

    // R11
    #[test]
    fn every_refusal_of_redis_is_classified_and_is_unavailable() {
        let table = [
            ("READONLY You can't write against a read only replica.", Outcome::Elsewhere, "replica"),
            ("LOADING Redis is loading the dataset in memory", Outcome::Elsewhere, "loading"),
            ("MASTERDOWN Link with MASTER is down", Outcome::Elsewhere, "lost its master"),
            ("CLUSTERDOWN The cluster is down", Outcome::Elsewhere, "slots"),
            ("TRYAGAIN Multiple keys request during rehashing of slot", Outcome::Elsewhere, "moving"),
            ("NOAUTH Authentication required.", Outcome::Elsewhere, "asks for a password"),
            ("WRONGPASS invalid username-password pair", Outcome::Elsewhere, "refuses the user or password"),
            ("NOPERM this user has no permissions to run the 'set' command", Outcome::Refused, "ACL"),
            ("OOM command not allowed when used memory > 'maxmemory'.", Outcome::Refused, "maxmemory"),
            ("MISCONF Redis is configured to save RDB snapshots", Outcome::Refused, "disk"),
            ("NOREPLICAS Not enough good replicas to write.", Outcome::Refused, "min-replicas-to-write"),
            ("BUSY Redis is busy running a script.", Outcome::Refused, "script"),
            ("MOVED 3999 127.0.0.1:6381", Outcome::Refused, "redis-cluster://"),
            ("ERR something new", Outcome::Refused, "something new"),
        ];
        for (said, expected, cause) in table {
            let fault =
                redis::parse_redis_value(format!("-{said}\r\n").as_bytes()).unwrap().extract_error().unwrap_err();
            assert_eq!(outcome(&fault), expected, "{said}");
            assert_cause(&fault, cause);
        }
    }

    #[test]
    fn a_lost_connection_leaves_the_outcome_unknown() {
        let fault = RedisError::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        assert_eq!(outcome(&fault), Outcome::Lost);
        assert_cause(&fault, "connection reset");
        let fault = RedisError::from((ErrorKind::AuthenticationFailed, "Password authentication failed"));
        assert_eq!(outcome(&fault), Outcome::Elsewhere);
        assert_cause(&fault, "password in tokens.url");
    }

    fn assert_cause(fault: &RedisError, part: &str) {
        let Error::Unavailable { cause, .. } = unavailable(fault) else { panic!("{fault} is not Unavailable") };
        assert!(cause.to_string().contains(part), "{cause}");
    }
}
