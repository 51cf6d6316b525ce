//! `cognate clients`: the applications that may sign people in, and how their tokens live.

use clap::{Args, Subcommand};
use serde::Serialize;
use zeroize::Zeroizing;

use super::ask::confirm;
use super::failure::Failure;
use super::open::Opened;
use super::output::{Output, instant, yes_no};
use crate::config::Period;
use crate::pool::client::AuthFlow;
use crate::pool::{Client, Pool, Rotation, Surface};

const EXAMPLES: &str = "\
Examples:
  cognate clients create --name 'web shop' --access-token 1h --id-token 1h --refresh-token 30d --rotation-grace 10s
  cognate clients list
  cognate clients update 4k2… --no-rotation
  cognate clients create --name portal --secret --auth-flows ALLOW_USER_SRP_AUTH,ALLOW_REFRESH_TOKEN_AUTH

Durations are written 30s, 15m, 1h 30m, 90d. The setting v1.client says which client /v1 speaks for;
pm415.client, astera.client and amadis.client do so for the account APIs, whose token lives are settings as well.";

/// App clients of a user pool.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Clients {
    /// Id of the user pool [default: the first]
    #[arg(long, global = true, value_name = "ID", help_heading = "Settings")]
    pool: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a client: by default tokens for a day, sessions for 90 days, no rotation
    Create {
        /// For people
        #[arg(long)]
        name: String,
        #[command(flatten)]
        lives: Lives,
        /// Give it a secret, which is printed once: whoever speaks for it over the Cognito API has to prove it
        #[arg(long)]
        secret: bool,
        /// Print the client as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show all clients, by name
    List {
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show a client
    Show {
        /// Its id
        id: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Change a client; what is not named stays
    Update {
        /// Its id
        id: String,
        /// For people
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        lives: Lives,
    },
    /// Delete a client: its refresh tokens are dead with it
    Delete {
        /// Its id
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
struct Lives {
    /// Life of an access token, 5m to 7d
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    access_token: Option<u64>,
    /// Life of an id token, 5m to 1d
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    id_token: Option<u64>,
    /// Life of a session, 1h to 3650d; refreshing never extends it
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    refresh_token: Option<u64>,
    /// Time to answer a challenge, 3m to 15m
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    auth_session: Option<u64>,
    /// Give a new refresh token at every refresh; the one before still works for this time, 0s to 1m
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    rotation_grace: Option<u64>,
    /// Keep one refresh token for the whole session
    #[arg(long, conflicts_with = "rotation_grace")]
    no_rotation: bool,
    /// Ways to sign in over the Cognito API, in Cognito's words: ALLOW_USER_SRP_AUTH, ALLOW_USER_PASSWORD_AUTH,
    /// ALLOW_ADMIN_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH [default: these]
    #[arg(long, value_delimiter = ',', value_name = "FLOWS", value_parser = flow)]
    auth_flows: Option<Vec<AuthFlow>>,
}

fn flow(text: &str) -> Result<AuthFlow, String> {
    serde_json::from_value(text.into()).map_err(|_| "write it as Cognito's ExplicitAuthFlows have it".to_owned())
}

impl Lives {
    fn apply(&self, client: &mut Client) {
        client.access_token_seconds = self.access_token.unwrap_or(client.access_token_seconds);
        client.id_token_seconds = self.id_token.unwrap_or(client.id_token_seconds);
        client.refresh_token_seconds = self.refresh_token.unwrap_or(client.refresh_token_seconds);
        client.auth_session_seconds = self.auth_session.unwrap_or(client.auth_session_seconds);
        let rotation = client.rotation.filter(|_| !self.no_rotation);
        if let Some(flows) = &self.auth_flows {
            client.auth_flows = Some(flows.iter().copied().collect());
        }
        client.rotation = self.rotation_grace.map(|grace_seconds| Rotation { grace_seconds }).or(rotation);
    }
}

/// A duration in whole seconds.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let period: Period = text.parse().map_err(|fault| format!("write a duration such as 15m ({fault})"))?;
    if period.subsec_nanos() == 0 { Ok(period.as_secs()) } else { Err("write whole seconds".to_owned()) }
}

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    name: &'a str,
    pool: &'a str,
    access_token_seconds: u64,
    id_token_seconds: u64,
    refresh_token_seconds: u64,
    auth_session_seconds: u64,
    rotation_grace_seconds: Option<u64>,
    has_secret: bool,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn new(client: &'a Client) -> Self {
        Self {
            id: &client.id,
            name: &client.name,
            pool: &client.pool,
            access_token_seconds: client.access_token_seconds,
            id_token_seconds: client.id_token_seconds,
            refresh_token_seconds: client.refresh_token_seconds,
            auth_session_seconds: client.auth_session_seconds,
            rotation_grace_seconds: client.rotation.map(|rotation| rotation.grace_seconds),
            has_secret: !client.secrets.is_empty(),
            created_at: instant(client.created_at),
            secret: None,
        }
    }
}

impl Clients {
    pub(super) async fn run(self, opened: &Opened, output: &mut Output) -> Result<(), Failure> {
        let pool = opened.pool(self.pool.as_deref())?;
        match self.verb {
            Verb::Create { name, lives, secret, json } => {
                let mut draft = Client::new(String::new(), String::new(), name, opened.ports.clock.now());
                lives.apply(&mut draft);
                let (made, text) = create(opened, &pool, draft, secret).await?;
                if json {
                    return output.json(&Shown { secret: text.as_deref().map(String::as_str), ..Shown::new(&made) });
                }
                details(&made, output)?;
                text.map_or(Ok(()), |text| output.line(format_args!("\nIts secret (shown only now): {}", *text)))
            }
            Verb::List { json } => list(&pool, json, output),
            Verb::Show { id, json } => {
                let client = pool.client(&id)?;
                if json { output.json(&Shown::new(client)) } else { details(client, output) }
            }
            Verb::Update { id, name, lives } => {
                let change = |client: &mut Client| {
                    lives.apply(client);
                    if let Some(name) = &name {
                        client.name.clone_from(name);
                    }
                };
                details(&opened.pools.update_client(&pool, &id, change).await?, output)
            }
            Verb::Delete { id, yes } => delete(opened, &pool, &id, yes, output).await,
        }
    }
}

async fn create(
    opened: &Opened,
    pool: &Pool,
    draft: Client,
    secret: bool,
) -> Result<(Client, Option<Zeroizing<String>>), Failure> {
    let mut draft = Client { id: opened.pools.new_client_id()?, ..draft };
    let mut shown = None;
    if secret {
        let (kept, text) = pool.new_app_secret(&draft.id)?;
        draft.secrets.push(kept);
        shown = Some(text);
    }
    Ok((opened.pools.keep_client(pool, draft).await?, shown))
}

async fn delete(opened: &Opened, pool: &Pool, id: &str, yes: bool, output: &mut Output) -> Result<(), Failure> {
    let name = &pool.client(id)?.name;
    if let Some(surface) = opened.pools.surface_of(id)? {
        return Err(in_use(surface).into());
    }
    confirm(&format!("Delete client {name} ({id}) and every session that began with it?"), yes)?;
    opened.pools.delete_client(pool, id).await?;
    output.line(format_args!("Client {name} ({id}) deleted."))
}

fn in_use(surface: Surface) -> String {
    match surface {
        Surface::V1 => "/v1 speaks for this client: name another in the setting v1.client first".to_owned(),
        Surface::Pm415 | Surface::Astera | Surface::Amadis => format!(
            "this client belongs to the {} API: one that {} names can be deleted once that names another, one that was \
             made for the API never",
            surface.name(),
            surface.setting()
        ),
    }
}

fn list(pool: &Pool, json: bool, output: &mut Output) -> Result<(), Failure> {
    let clients = pool.clients();
    if json {
        return output.json(&clients.into_iter().map(Shown::new).collect::<Vec<_>>());
    }
    let life = |seconds| Period::seconds(seconds).to_string();
    let row = |client: &Client| {
        let Client { access_token_seconds, id_token_seconds, refresh_token_seconds, .. } = *client;
        let lives = [access_token_seconds, id_token_seconds, refresh_token_seconds].map(life);
        let [access, id, refresh] = lives;
        [client.id.clone(), client.name.clone(), access, id, refresh, rotation(client)]
    };
    let rows: Vec<_> = clients.into_iter().map(row).collect();
    output.table(["ID", "NAME", "ACCESS TOKEN", "ID TOKEN", "REFRESH TOKEN", "ROTATION"], &rows)
}

fn details(client: &Client, output: &mut Output) -> Result<(), Failure> {
    let life = |seconds| Period::seconds(seconds).to_string();
    output.details(&[
        ("id", client.id.clone()),
        ("name", client.name.clone()),
        ("pool", client.pool.clone()),
        ("access token", life(client.access_token_seconds)),
        ("id token", life(client.id_token_seconds)),
        ("refresh token", life(client.refresh_token_seconds)),
        ("auth session", life(client.auth_session_seconds)),
        ("rotation", rotation(client)),
        ("secret", yes_no(!client.secrets.is_empty())),
        ("created", instant(client.created_at)),
    ])
}

fn rotation(client: &Client) -> String {
    let grace = client.rotation.map(|rotation| Period::seconds(rotation.grace_seconds));
    grace.map_or_else(|| "off".to_owned(), |grace| format!("on, grace {grace}"))
}
