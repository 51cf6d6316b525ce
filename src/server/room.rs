//! How many connections there is room for. An allocation that the kernel refuses ends the process (R32), so what comes
//! from outside is bounded beforehand: passwords hashed at once by their turns, and what connections hold by this.

use std::fmt::{Display, Formatter};

use crate::config::Config;
use crate::pool::hash;

/// What the process takes beside hashes and connections; the chart reckons with the same.
const AT_REST: usize = 64 << 20;
/// What the framework reads ahead on one connection; a body is held beside it, and again while it is read.
const READ_AHEAD: usize = 128 << 10;
/// Descriptors of stores, files and workers.
const OWN_DESCRIPTORS: usize = 64;
/// Fewer serve nobody; so many fit into what is reckoned at rest.
const LEAST: usize = 16;

/// What the process is held to; none where there is no such limit.
#[derive(Debug, Default)]
struct Limits {
    memory: Option<usize>,
    descriptors: Option<usize>,
}

impl Limits {
    fn of_this_process() -> Self {
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let own = text("/proc/self/limits");
        let group = text("/proc/self/cgroup");
        let group = group.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default();
        let group = format!("/sys/fs/cgroup{}/memory.max", group.trim_end_matches('/'));
        let groups = [group.as_str(), "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
        let of_groups = groups.iter().filter_map(|path| text(path).trim().parse().ok());
        Self { memory: of_groups.chain(limit(&own, "Max data size")).min(), descriptors: limit(&own, "Max open files") }
    }
}

/// The soft limit of this name in `/proc/self/limits`.
fn limit(text: &str, name: &str) -> Option<usize> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// The connections there may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Worker threads.
    pub workers: usize,
    /// At once, per worker.
    pub per_worker: usize,
    /// At once from one address; 0 means no limit.
    pub per_source: usize,
    /// Whether the settings allow more.
    pub narrowed: bool,
}

impl Room {
    /// By the settings, and by the limits of memory and descriptors that this process has.
    pub fn find(config: &Config) -> Result<Self, String> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::within(&Limits::of_this_process(), config, cores)
    }

    fn within(limits: &Limits, config: &Config, cores: usize) -> Result<Self, String> {
        let http = &config.http;
        let workers = if http.workers == 0 { cores } else { http.workers };
        let by_memory = limits.memory.map(|memory| by_memory(memory, config)).transpose()?;
        let by_descriptors = limits.descriptors.map(|descriptors| {
            let stores = usize::try_from(config.directory.connections).unwrap_or(usize::MAX);
            descriptors.saturating_sub(OWN_DESCRIPTORS).saturating_sub(stores)
        });
        let bound = by_memory.into_iter().chain(by_descriptors).min().map_or(usize::MAX, |bound| bound.max(LEAST));
        let per_worker = http.max_connections.min((bound / workers).max(1));
        // Half of the room: whoever fills his share with idle connections leaves the other half.
        let share = if http.connections_per_source == 0 { 0 } else { http.connections_per_source.min(bound / 2) };
        Ok(Self { workers, per_worker, per_source: share, narrowed: per_worker < http.max_connections })
    }
}

fn by_memory(memory: usize, config: &Config) -> Result<usize, String> {
    let hashes = hash::at_once(&config.password);
    let one = usize::try_from(config.password.memory_kib).unwrap_or(usize::MAX).saturating_mul(1024);
    let needed = AT_REST.saturating_add(hashes.saturating_mul(one));
    let left = memory.checked_sub(needed).ok_or_else(|| {
        format!(
            "the memory limit of {} MiB is too little for {hashes} passwords hashed at once (password.threads), which \
             take {} MiB with all else; raise the limit, or hash fewer at once",
            memory >> 20,
            needed >> 20
        )
    })?;
    Ok(left / config.http.body_limit.saturating_mul(2).saturating_add(READ_AHEAD))
}

impl Display for Room {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let (all, why) =
            (self.per_worker.saturating_mul(self.workers), if self.narrowed { "limits" } else { "settings" });
        write!(f, "{all} connections at once by the {why} of this process")
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Room, limit};
    use crate::config::Config;

    const MIB: usize = 1 << 20;

    fn config() -> Config {
        let mut config = Config::default();
        config.password.threads = 2;
        config
    }

    fn room(memory: Option<usize>, descriptors: Option<usize>) -> Result<Room, String> {
        Room::within(&Limits { memory, descriptors }, &config(), 2)
    }

    // R32
    #[test]
    fn memory_and_descriptors_bound_the_connections_and_the_share_of_one_address() {
        let said = |room: Result<Room, String>| {
            let room = room.unwrap();
            (room.per_worker, room.per_source, room.narrowed)
        };
        assert_eq!(said(room(None, None)), (10_000, 1_000, false));
        assert_eq!(said(room(Some(1 << 60), Some(1 << 20))), (10_000, 1_000, false));
        // 256 MiB without 64 at rest and two hashes of 19 leave 154, at 256 KiB each.
        assert_eq!(said(room(Some(256 * MIB), None)), (308, 308, true));
        assert_eq!(said(room(Some(256 * MIB), Some(256))), (91, 91, true));
        // So little is in what is reckoned at rest.
        assert_eq!(said(room(Some(102 * MIB), None)), (8, 8, true));
        assert_eq!(said(room(None, Some(50))), (8, 8, true));
    }

    // R32
    #[test]
    fn memory_that_the_hashes_do_not_fit_into_is_refused() {
        let fault = room(Some(101 * MIB), None).unwrap_err();
        assert_eq!(
            fault,
            "the memory limit of 101 MiB is too little for 2 passwords hashed at once (password.threads), which take 102 \
             MiB with all else; raise the limit, or hash fewer at once"
        );
    }

    #[test]
    fn no_limit_for_an_address_stays_none() {
        let mut config = config();
        config.http.connections_per_source = 0;
        let limits = Limits { memory: Some(256 * MIB), descriptors: None };
        assert_eq!(Room::within(&limits, &config, 2).unwrap().per_source, 0);
    }

    #[test]
    fn limits_are_read_as_the_kernel_writes_them() {
        let text = "Max data size             134217728            unlimited            bytes     \n\
                    Max open files            256                  20000                files     \n\
                    Max address space         unlimited            unlimited            bytes     \n";
        assert_eq!(limit(text, "Max data size"), Some(134_217_728));
        assert_eq!(limit(text, "Max open files"), Some(256));
        assert_eq!(limit(text, "Max address space"), None);
    }
}
