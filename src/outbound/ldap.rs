//! Active Directory and other directories that speak LDAP: finding a person, and proving a password by a bind. Always
//! inside TLS with a verified certificate. What goes wrong on the way is never taken for a wrong password.

mod connection;
mod filter;
mod group;
mod name;
mod person;
mod server;
mod spare;
mod start_tls;
mod verdict;

use std::sync::Arc;

use crate::config;
use crate::crypto::Random;
use crate::error::{Cause, Error};

use connection::Connection;
use filter::{Filter, UserDn};
use group::Groups;
use name::Names;
use server::Server;
use spare::{Lease, Spares};
use verdict::Verdict;

pub use name::Account;
pub use person::Person;

/// A foreign directory. Connects when it is needed; connections that break are replaced.
#[derive(Clone)]
pub struct Ldap(Arc<Site>);

/// What is known of the directory, and how a person is proven there.
struct Site {
    names: Names,
    base: String,
    filter: Filter,
    groups: Groups,
    way: Way,
    spares: Spares,
}

/// Who searches, and as whom a person is bound.
enum Way {
    /// The service's account searches, then the person is bound by the DN that was found.
    Search,
    /// The person is bound by name and searches for himself.
    Direct(UserDn),
}

/// What a bind with a person's password came to.
pub enum Proof {
    /// It is his.
    Right(Box<Person>),
    /// It is not, nobody has this name, or the account may not sign in: not told apart.
    Wrong,
    /// It is his, but he must choose another one there first.
    MustChange,
}

impl std::fmt::Debug for Ldap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ldap(..)")
    }
}

impl Ldap {
    /// Reads the settings; `None` without ldap.url. Connects to nobody. The text of a fault is for the operator.
    pub fn open(settings: &config::Ldap) -> Result<Option<Self>, String> {
        let Some(url) = &settings.url else { return Ok(None) };
        let server = Server::new(url, settings.ca_file.as_deref())?;
        let service = settings.bind_dn.clone().zip(settings.bind_password.clone());
        let way = match &service {
            Some(_) => Way::Search,
            None => Way::Direct(UserDn::new(settings)),
        };
        Ok(Some(Self(Arc::new(Site {
            names: Names::new(settings),
            base: settings.base_dn.clone(),
            filter: Filter::new(&settings.user_filter)?,
            groups: Groups::new(settings),
            way,
            spares: Spares::new(server, service, settings),
        }))))
    }

    /// The account that a typed name means; `None` when no account of this directory can have it.
    pub fn account(&self, typed: &str) -> Option<Account> {
        self.0.names.account(typed)
    }

    /// The pool's groups that follow groups of the directory.
    pub fn mapped_groups(&self) -> impl Iterator<Item = &str> {
        self.0.groups.of_pool()
    }

    /// Whether the directory has this person. Without an account to search with it cannot be asked: then whether it could.
    pub async fn knows(&self, account: &Account) -> Result<bool, Error> {
        let (site, account) = (self.0.clone(), account.clone());
        let known = self.within(async move { site.knows(&account).await }).await;
        count(known.as_ref().map(|known| if *known { "found" } else { "absent" }));
        known
    }

    /// Proves a password by a bind. Without an account every step is taken with a name that nobody has, so that names
    /// which mean nobody here cost the same and can lock nobody out there.
    pub async fn prove(&self, account: Option<&Account>, password: &str) -> Result<Proof, Error> {
        // RFC 4513 §5.1.2: a bind with an empty password succeeds and proves nothing; a NUL may end one (P11).
        if password.is_empty() || password.contains(char::is_control) {
            return Ok(Proof::Wrong);
        }
        let (site, account, password) = (self.0.clone(), account.cloned(), password.to_owned());
        let proof = self.within(async move { site.prove(account, &password).await }).await;
        count(proof.as_ref().map(|proof| match proof {
            Proof::Right(_) => "right",
            Proof::Wrong => "wrong",
            Proof::MustChange => "must_change",
        }));
        proof
    }

    /// Connects, and binds the account that searches where there is one; answers how, in words for the operator.
    pub async fn try_out(&self) -> Result<&'static str, Error> {
        let site = self.0.clone();
        self.within(async move { site.spares.take().await.map(Lease::keep) }).await?;
        Ok(match self.0.way {
            Way::Search => "the directory answers and ldap.bind_dn can sign in",
            Way::Direct(_) => "the directory answers (no ldap.bind_dn to try)",
        })
    }

    /// In a task of its own: it ends in time whatever the caller does, and answers that make no sense to the protocol's
    /// decoder end that task alone.
    async fn within<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Cause>> + Send + 'static,
    ) -> Result<T, Error> {
        let cause = match tokio::spawn(tokio::time::timeout(self.0.spares.patience(), work)).await {
            Ok(Ok(Ok(done))) => return Ok(done),
            Ok(Ok(Err(cause))) => cause,
            Ok(Err(_)) => "the directory took longer than ldap.timeout".into(),
            Err(_) => "the directory's answer makes no sense".into(),
        };
        self.0.spares.clear();
        Err(Error::unavailable(cause))
    }
}

fn count(result: Result<&'static str, &Error>) {
    let label = result.unwrap_or("unavailable");
    metrics::counter!("cognate_ldap_requests_total", "result" => label).increment(1);
}

impl Site {
    async fn knows(&self, account: &Account) -> Result<bool, Cause> {
        if let Way::Direct(user_dn) = &self.way {
            return Ok(user_dn.allows(&account.name));
        }
        let mut lease = self.spares.take().await?;
        let found = lease.find(&self.base, &self.filter.of(&account.name)).await?;
        lease.keep();
        Ok(found.is_some())
    }

    async fn prove(&self, account: Option<Account>, password: &str) -> Result<Proof, Cause> {
        match &self.way {
            Way::Search => self.prove_found(account, password).await,
            Way::Direct(user_dn) => self.prove_directly(user_dn, account, password).await,
        }
    }

    async fn prove_found(&self, account: Option<Account>, password: &str) -> Result<Proof, Cause> {
        let nobody = nobody()?;
        let name = account.as_ref().map_or(&nobody, |account| &account.name);
        let mut lease = self.spares.take().await?;
        let person = lease.find(&self.base, &self.filter.of(name)).await?;
        let dn = person.as_ref().map_or_else(|| format!("CN={nobody},{}", self.base), |person| person.dn.clone());
        let proof = match (lease.bind(&dn, password).await?, person) {
            (Verdict::Right, Some(person)) => {
                lease.bind_service().await?;
                self.right(&mut lease, person).await?
            }
            (Verdict::Right | Verdict::Wrong, _) => Proof::Wrong,
            (Verdict::MustChange, _) => Proof::MustChange,
        };
        lease.keep();
        Ok(proof)
    }

    /// The connection is bound as the person afterwards, so it is used for nobody else.
    async fn prove_directly(&self, user_dn: &UserDn, account: Option<Account>, password: &str) -> Result<Proof, Cause> {
        let nobody = nobody()?;
        let account = account.filter(|account| user_dn.allows(&account.name));
        let name = account.as_ref().map_or(&nobody, |account| &account.name);
        let mut lease = self.spares.take().await?;
        match lease.bind(&user_dn.of(name), password).await? {
            Verdict::Right if account.is_some() => {}
            Verdict::Right | Verdict::Wrong => return Ok(Proof::Wrong),
            Verdict::MustChange => return Ok(Proof::MustChange),
        }
        let Some(person) = lease.find(&self.base, &self.filter.of(name)).await? else { return Ok(Proof::Wrong) };
        // What was found by name must be what was bound by name, also where a forest has two of the same name.
        match lease.bind(&person.dn, password).await? {
            Verdict::Right => self.right(&mut lease, person).await,
            Verdict::Wrong | Verdict::MustChange => Err("ldap.base_dn and ldap.domain lead to different people".into()),
        }
    }

    async fn right(&self, connection: &mut Connection, mut person: Person) -> Result<Proof, Cause> {
        person.groups = self.groups.of(connection, &person.dn).await?;
        Ok(Proof::Right(Box::new(person)))
    }
}

/// A name that nobody has.
fn nobody() -> Result<String, Cause> {
    Ok(format!("cognate-{}", Random::default().uuid()?.simple()))
}
