//! What a user pool does, in verbs: [`Pool`] here, each verb in the file of its noun, and [`Pools`] that finds one.
//! Knows neither HTTP nor SQL nor Redis.

mod access_key;
mod admin_user;
mod alias;
mod api_key;
mod app_secret;
mod attribute;
mod auth;
mod auto_sign_in;
mod bootstrap;
mod challenge;
pub mod client;
mod client_token;
mod clocks;
mod code;
mod credential;
mod custom_auth;
mod custom_course;
mod custom_trigger;
mod delivery;
mod device;
mod device_sign_in;
mod document;
mod email;
mod external;
mod factor;
mod first_factor;
pub mod group;
pub mod hash;
mod import;
mod inspect;
mod invitation;
mod invite;
mod kept_password;
mod key;
mod lifecycle;
mod limit;
mod link;
mod master;
pub mod message;
mod mfa;
mod migration;
mod moving;
pub mod name;
mod new_password;
mod next_password;
mod number;
mod organization;
mod otp;
pub mod outbox;
mod own_attributes;
mod page;
pub mod password;
mod password_change;
mod pending_address;
mod permission;
mod pools;
mod public_id;
mod refresh;
mod refresh_token;
mod registration;
mod reset_link;
mod resource_server;
pub mod schema;
mod session;
mod session_list;
pub mod settings;
mod sign_in_trigger;
mod sign_up;
mod sign_up_trigger;
pub mod srp;
mod srp_sign_in;
mod surface;
pub mod token;
mod token_trigger;
pub mod totp;
mod trigger;
mod user;
mod user_filter;
pub mod user_import;

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::clock::{Clock, Timestamp};
use crate::config;
use crate::crypto::{MacKey, Random, RootSecret, SealKey};
use crate::error::{Error, Kind};
use crate::keys::{KeySet, Keyholder};
use crate::outbound::hook::Hooks;
use crate::outbound::ldap::Ldap;
use crate::outbound::mail::Templates;
use crate::store::directory::Directory;
use crate::store::tokens::TokenStore;

pub use access_key::{AccessKey, NewAccessKey};
pub use admin_user::Invited;
pub use app_secret::ProvenClient;
pub use attribute::{NamedValues, Party};
pub use auth::{Proven, Step};
pub use bootstrap::{ADMIN, FirstAdmin};
pub use challenge::Asked;
pub use client::{Client, Rotation};
pub use client_token::{ClientToken, OAuthRules};
pub use code::Digits;
pub use credential::ClientSecret;
pub use custom_auth::{CustomAnswer, CustomChallenge, CustomSignIn, CustomStep};
pub use delivery::Delivery;
pub use device::{DEVICES_A_USER, DeviceSecret, NewDevice};
pub use device_sign_in::{DeviceVerifier, NamedDevice};
pub use external::NewExternalUser;
pub use factor::{Factor, Preference, settings_of};
pub use first_factor::{Choice, FirstFactor, FirstStep};
pub use group::NewGroup;
pub use hash::Hasher;
pub use import::{ImportedUser, is_attribute};
pub use inspect::{Inventory, inspect};
pub use invitation::Invitation;
pub use key::KeyRow;
pub use limit::Turns;
pub use link::LinkTo;
pub use moving::{MovedUser, Moving};
pub use new_password::NewPassword;
pub use otp::CodeAnswer;
pub use outbox::Outbox;
pub use page::{Page, PageOf};
pub use permission::{ADMIN_GROUP, Action};
pub use pools::Pools;
pub use registration::{Registered, Registration, SignUpCode};
pub use resource_server::{ResourceServer, Scope, is_custom};
pub use session::{Caller, Terms, Tokens};
pub use session_list::session_name;
pub use settings::PoolSettings;
pub use sign_up::{Joins, SignUp};
pub use sign_up_trigger::ForHooks;
pub use srp_sign_in::{PasswordVerifier, SrpProof};
pub use surface::{Surface, Surfaces};
pub use token_trigger::TokenEvent;
pub use trigger::{Metadata, TokenVersion, Trigger, Triggers};
pub use user::NewUser;

pub use crate::store::device::Device;
pub use crate::store::directory::{Group, GroupChange, User, UserStatus};
pub use crate::store::organization::{Membership, Role};
pub use crate::store::tokens::Session;

use public_id::PublicIds;

/// Everything outside that a pool uses, and the settings it works by.
pub struct Ports {
    /// What must last.
    pub directory: Arc<dyn Directory>,
    /// What expires.
    pub tokens: Arc<dyn TokenStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Random,
    /// Password hashing.
    pub hasher: Hasher,
    /// The keys that seal everything kept.
    pub master: Keyholder,
    /// The words of mails.
    pub templates: Templates,
    /// The foreign directory that some users sign in from, if there is one. `/readyz` does not ask it: when it is down,
    /// everybody else still signs in and every session goes on, and no replica would be better off than another.
    pub ldap: Option<Ldap>,
    /// The hooks that stand for the functions of pools. `/readyz` does not ask them either.
    pub hooks: Hooks,
    /// Whether text messages are sent.
    pub texts: bool,
    /// One turn at a time for each account.
    pub turns: Turns,
    /// Throttles.
    pub limits: config::Limits,
    /// Life of signing keys.
    pub keys: config::Keys,
    /// The pool made at first start.
    pub bootstrap: config::Bootstrap,
    /// Whom each surface speaks for, and how long its tokens live.
    pub surfaces: Surfaces,
    /// The URL that clients use, without a trailing slash.
    pub public_url: String,
    /// Where pools are made: the first part of their ids.
    pub region: String,
    /// What the issuer of tokens looks like.
    pub issuer_style: config::IssuerStyle,
}

/// A user pool as this process sees it: its settings and clients, its keys, and the ports.
pub struct Pool {
    /// Its settings.
    pub settings: PoolSettings,
    clients: HashMap<String, Client>,
    keys: ArcSwap<KeySet>,
    keys_read_at: ArcSwap<Timestamp>,
    keys_turn: tokio::sync::Mutex<()>,
    secrets: Secrets,
    outbox: Arc<Outbox>,
    ports: Arc<Ports>,
}

/// The pool's own keys, one per purpose (security rule 8).
struct Secrets {
    refresh: MacKey,
    code: MacKey,
    handle: MacKey,
    absent: MacKey,
    api_key: MacKey,
    client_secret: MacKey,
    app_secret: SealKey,
    srp: SealKey,
    srp_block: SealKey,
    srp_absent: MacKey,
    device: MacKey,
    device_verifier: SealKey,
    mfa: SealKey,
    link: MacKey,
    link_content: SealKey,
    link_state: MacKey,
    page: MacKey,
    custom_auth: SealKey,
    import: MacKey,
    import_file: SealKey,
    public_ids: PublicIds,
}

impl Secrets {
    fn derive(root: &RootSecret, pool: &str) -> Result<Self, Error> {
        Ok(Self {
            refresh: root.mac_key("refresh", pool)?,
            code: root.mac_key("code", pool)?,
            handle: root.mac_key("challenge-handle", pool)?,
            absent: root.mac_key("absent-user", pool)?,
            api_key: root.mac_key("api-key", pool)?,
            client_secret: root.mac_key("client-secret", pool)?,
            app_secret: root.seal_key("app-secret", pool)?,
            srp: root.seal_key("srp-verifier", pool)?,
            srp_block: root.seal_key("srp-block", pool)?,
            srp_absent: root.mac_key("srp-absent", pool)?,
            device: root.mac_key("device", pool)?,
            device_verifier: root.seal_key("device-verifier", pool)?,
            mfa: root.seal_key("mfa", pool)?,
            link: root.mac_key("link", pool)?,
            link_content: root.seal_key("link-content", pool)?,
            link_state: root.mac_key("link-state", pool)?,
            page: root.mac_key("page", pool)?,
            custom_auth: root.seal_key("custom-auth", pool)?,
            import: root.mac_key("import", pool)?,
            import_file: root.seal_key("import-file", pool)?,
            public_ids: PublicIds(root.mac_key("public-id", pool)?),
        })
    }
}

impl Pool {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.settings.id
    }

    /// `iss` of its tokens, from configuration alone.
    pub fn issuer(&self) -> String {
        match self.ports.issuer_style {
            config::IssuerStyle::Own => self.url(),
            config::IssuerStyle::Aws => {
                let region = self.id().split_once('_').map_or("", |(region, _)| region);
                format!("https://cognito-idp.{region}.amazonaws.com/{}", self.id())
            }
        }
    }

    /// Where its key set and discovery document are.
    pub fn url(&self) -> String {
        format!("{}/{}", self.ports.public_url, self.id())
    }

    /// One of its app clients.
    pub fn client(&self, id: &str) -> Result<&Client, Error> {
        self.clients.get(id).ok_or(Error::NotFound(Kind::Client))
    }

    /// All of its app clients, by name.
    pub fn clients(&self) -> Vec<&Client> {
        let mut clients: Vec<_> = self.clients.values().collect();
        clients.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        clients
    }

    fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }
}
