//! One step as it is sent: a command, or a script by its digest with its text at hand for a server that has
//! forgotten it (restart, failover, SCRIPT FLUSH).

use std::sync::OnceLock;

use redis::{Cmd, ToRedisArgs};

/// A Lua script of one verb.
pub struct Script {
    source: &'static str,
    digest: OnceLock<String>,
}

impl Script {
    /// The script with this text.
    pub const fn new(source: &'static str) -> Self {
        Self { source, digest: OnceLock::new() }
    }

    /// The SHA-1 by which Redis knows it.
    fn digest(&self) -> &str {
        self.digest.get_or_init(|| redis::Script::new(self.source).get_hash().to_owned())
    }
}

#[derive(Clone, Copy)]
enum Verb {
    Command(&'static str),
    Script(&'static Script),
}

/// One step with its arguments.
#[derive(Clone)]
pub struct Call {
    verb: Verb,
    key: Option<String>,
    args: Vec<Vec<u8>>,
    repeatable: bool,
    replicated: bool,
    asking: bool,
}

impl Call {
    fn new(verb: Verb, key: Option<String>) -> Self {
        Self { verb, key, args: Vec::new(), repeatable: false, replicated: false, asking: false }
    }

    /// A command that is one step by itself, on its one key.
    pub fn command(name: &'static str, key: String) -> Self {
        Self::new(Verb::Command(name), Some(key))
    }

    /// A script on its one key.
    pub fn script(script: &'static Script, key: String) -> Self {
        Self::new(Verb::Script(script), Some(key))
    }

    /// A command about a server, on no key: of a Cluster every master is asked.
    pub fn keyless(name: &'static str) -> Self {
        Self::new(Verb::Command(name), None)
    }

    /// What it is done on.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        argument.write_redis_args(&mut self.args);
        self
    }

    /// Marks a step that may be done twice when it is not known whether it was done.
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Whether it may be done twice.
    pub fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    /// Marks a step that counts once a replica has it, where `tokens.durability` asks for that. It has to be one that
    /// writes again when it is repeated: what was written before it on the same server is then on the replica, too.
    pub fn replicated(mut self) -> Self {
        self.replicated = true;
        self
    }

    /// Whether it counts once a replica has it.
    pub fn is_replicated(&self) -> bool {
        self.replicated
    }

    /// It for the node that is only about to get its slot (`ASK`).
    pub fn asking(&self) -> Self {
        Self { asking: true, ..self.clone() }
    }

    /// Whether `ASKING` goes before it.
    pub fn is_asking(&self) -> bool {
        self.asking
    }

    /// It as sent first.
    pub fn short(&self) -> Cmd {
        match self.verb {
            Verb::Command(name) => redis::cmd(name).arg(&self.key).arg(&self.args).take(),
            Verb::Script(script) => self.scripted("EVALSHA", script.digest()),
        }
    }

    /// It with the script's whole text. `SCRIPT LOAD` would have to reach every node of a Cluster; this needs one.
    pub fn whole(&self) -> Cmd {
        match self.verb {
            Verb::Command(_) => self.short(),
            Verb::Script(script) => self.scripted("EVAL", script.source),
        }
    }

    fn scripted(&self, command: &str, script: &str) -> Cmd {
        redis::cmd(command).arg(script).arg(1).arg(&self.key).arg(&self.args).take()
    }
}
