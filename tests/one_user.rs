//! One user, every API: registered through one, signed in through another, the password changed in a third, and every
//! session from before is dead everywhere; and the links of all APIs arrive at a real mail server.

use std::collections::BTreeMap;

use cognate::config::Secret;
use cognate::pool::{NewGroup, NewUser};
use serde_json::{Value, json};

use crate::app::{Answer, PASSWORD, TestApp, story};
use crate::servers::smtp::{Manner, Received, SmtpServer};

const MARY: &str = "mary@example.test";
const CHANGED: &str = "another long password";
const CHANGED_AGAIN: &str = "yet another long password";

/// A session from each API, and what each says as long as it lives.
struct Sessions {
    native: String,
    pm415: String,
    astera: String,
    astera_refresh: String,
    amadis: String,
    amadis_refresh: String,
}

/// OAuth credentials of another user, who signs people in.
struct Application {
    id: String,
    secret: String,
}

impl TestApp {
    async fn bearer(&self, method: &str, path: &str, token: &str) -> Answer {
        self.request(self.to(method, path).bearer_auth(token)).await
    }

    async fn oauth(&self, application: &Application, form: &[(&str, &str)]) -> Answer {
        let own = [("client_id", application.id.as_str()), ("client_secret", application.secret.as_str())];
        self.request(self.to("POST", "/oauth/token").form(&[form, &own].concat())).await
    }

    /// Registers the application through the Amadis API, as an administrator.
    async fn application(&self) -> Application {
        let group = NewGroup { name: "admin".to_owned(), ..cognate::pool::NewGroup::default() };
        self.pool().create_group(group).await.unwrap();
        let groups = vec!["admin".to_owned()];
        self.pool().create_user(NewUser { groups, ..NewUser::new("root", PASSWORD) }).await.unwrap();
        let admin = self.login("root", PASSWORD).await.field("access_token");
        let form = [("name", "Shop"), ("email", "shop@example.test"), ("password", PASSWORD)];
        let made = self.request(self.to("POST", "/api/user/v1/register").bearer_auth(&admin).form(&form)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let data = made.json()["data"].clone();
        let text = |name: &str| data[name].as_str().unwrap().to_owned();
        Application { id: text("user_id"), secret: text("user_secret") }
    }

    /// Registers Mary through pm415 and follows the mailed link.
    async fn register_mary(&self) {
        let body = json!({
            "email": MARY, "password": PASSWORD, "confirmation": PASSWORD, "firstName": "Mary", "lastName": "Major",
            "tosAccepted": "Y", "organization": "Acme",
        });
        assert_eq!(self.post("/api/account/register", body).await.status, 200);
        let mails = self.mails().await;
        let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
        let verified = self.get(&path_of_link(mail, "/account/verify/", "/api/account/verify")).await;
        assert_eq!(verified.json()["success"], true, "{}", verified.text);
    }

    /// Signs Mary in through every API.
    async fn sign_mary_in(&self, application: &Application, password: &str) -> Sessions {
        let pm415 = self.post("/api/account/login", json!({ "email": MARY, "password": password })).await;
        let body = json!({ "user": MARY, "password": password, "rememberMe": true });
        let astera = self.post("/api/account/login", body).await;
        let form = [("grant_type", "password"), ("username", MARY), ("password", password)];
        let amadis = self.oauth(application, &form).await;
        Sessions {
            native: self.login(MARY, password).await.field("refresh_token"),
            pm415: pm415.field("token"),
            astera: astera.field("access_token"),
            astera_refresh: astera.field("refresh_token"),
            amadis: amadis.field("access_token"),
            amadis_refresh: amadis.field("refresh_token"),
        }
    }

    /// The status of a use of each session, by name.
    async fn use_all(&self, application: &Application, sessions: &Sessions) -> BTreeMap<&'static str, u16> {
        let refresh = |token| [("grant_type", "refresh_token"), ("refresh_token", token)];
        let astera_client = self.api.pools.surface(cognate::pool::Surface::Astera).unwrap().1.id;
        let mut astera_form = refresh(sessions.astera_refresh.as_str()).to_vec();
        astera_form.push(("client_id", &astera_client));
        BTreeMap::from([
            ("amadis, api key route", self.bearer("GET", "/api/user/apikey", &sessions.amadis).await.status),
            ("amadis, refresh", self.oauth(application, &refresh(&sessions.amadis_refresh)).await.status),
            ("astera", self.bearer("GET", "/api/account/checkaccess", &sessions.astera).await.status),
            (
                "astera, refresh",
                self.request(self.to("POST", "/oauth/token").form(&astera_form)).await.status,
            ),
            ("pm415", self.bearer("GET", "/api/user", &sessions.pm415).await.status),
            ("v1", self.refresh(MARY, &sessions.native).await.status),
        ])
    }
}

/// The token of a mailed link, on another path.
fn path_of_link(mail: &str, page: &str, path: &str) -> String {
    let (_, rest) = mail.split_once(&format!("{page}?token=")).unwrap_or_else(|| panic!("no {page} in {mail}"));
    let token: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    format!("{path}?token={token}")
}

const ALL_LIVE: [(&str, u16); 6] = [
    ("amadis, api key route", 200),
    ("amadis, refresh", 200),
    ("astera", 200),
    ("astera, refresh", 200),
    ("pm415", 200),
    ("v1", 200),
];
const ALL_DEAD: [(&str, u16); 6] = [
    ("amadis, api key route", 401),
    ("amadis, refresh", 400),
    ("astera", 401),
    ("astera, refresh", 400),
    ("pm415", 401),
    ("v1", 401),
];

story!(a_password_changed_through_one_api_ends_the_sessions_of_all);
async fn a_password_changed_through_one_api_ends_the_sessions_of_all(app: TestApp) {
    let application = app.application().await;
    app.register_mary().await;
    let before = app.sign_mary_in(&application, PASSWORD).await;
    assert_eq!(app.use_all(&application, &before).await, BTreeMap::from(ALL_LIVE));

    let own = app.sign_mary_in(&application, PASSWORD).await.astera;
    let change = json!({ "currentPassword": PASSWORD, "newPassword": CHANGED });
    let changed = app.request(app.to("POST", "/api/account/changepassword").bearer_auth(&own).json(&change)).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(app.use_all(&application, &before).await, BTreeMap::from(ALL_DEAD));
    assert_eq!(app.bearer("GET", "/api/account/checkaccess", &own).await.status, 200, "the caller's own goes on");

    let between = app.sign_mary_in(&application, CHANGED).await;
    let form = [("email", MARY), ("oldpassword", CHANGED), ("newpassword", CHANGED_AGAIN)];
    let request = app.to("PATCH", "/api/user/v1/changepassword").bearer_auth(&between.amadis).form(&form);
    let changed = app.request(request).await;
    assert_eq!(changed.whole(), (200, r#"{"status":"success"}"#));
    let uses = app.use_all(&application, &between).await;
    let survives = |name: &str| name.starts_with("amadis");
    let expected = ALL_DEAD.map(|(name, dead)| (name, if survives(name) { 200 } else { dead }));
    assert_eq!(uses, BTreeMap::from(expected), "the session that changed it goes on");

    let last = app.sign_mary_in(&application, CHANGED_AGAIN).await;
    assert_eq!(app.use_all(&application, &last).await, BTreeMap::from(ALL_LIVE));
    for (path, body) in [
        ("/v1/login", json!({ "username": MARY, "password": PASSWORD })),
        ("/api/account/login", json!({ "email": MARY, "password": PASSWORD })),
        ("/api/account/login", json!({ "user": MARY, "password": PASSWORD })),
    ] {
        assert_eq!(app.post(path, body).await.status, 401, "the first password is over: {path}");
    }
}

story!(a_reset_through_one_api_ends_the_sessions_of_all);
async fn a_reset_through_one_api_ends_the_sessions_of_all(app: TestApp) {
    let application = app.application().await;
    app.register_mary().await;
    let before = app.sign_mary_in(&application, PASSWORD).await;
    assert_eq!(app.post("/api/account/forgotpassword", json!({ "email": MARY })).await.status, 200);
    let mail = app.mails().await.remove(0);
    let path = path_of_link(&mail, "/account/reset-password/", "");
    let token = path.strip_prefix("?token=").unwrap();
    let body = json!({ "password": CHANGED, "confirmation": CHANGED, "token": token });
    assert_eq!(app.post("/api/account/changepassword", body).await.status, 200);
    assert_eq!(app.use_all(&application, &before).await, BTreeMap::from(ALL_DEAD));
    let last = app.sign_mary_in(&application, CHANGED).await;
    assert_eq!(app.use_all(&application, &last).await, BTreeMap::from(ALL_LIVE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_link_arrives_at_a_real_mail_server_and_works() {
    let server = SmtpServer::start(Manner::Accepts);
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let app = TestApp::start_with(|config| config.mail.url = Secret::new(url)).await;
    let mut seen = 0;
    let mut next = async || -> Received {
        app.api.pools.outbox().unwrap().deliver_due().await.unwrap();
        seen += 1;
        server.receives(seen).await.remove(seen - 1)
    };
    let register = json!({
        "email": MARY, "password": PASSWORD, "confirmation": PASSWORD, "firstName": "Mary", "lastName": "Major",
        "tosAccepted": true, "organization": "Acme",
    });
    assert_eq!(app.post("/api/account/register", register).await.status, 200);
    let verify = next().await;
    assert_eq!(verify.to, [MARY]);
    let path = path_of_link(&verify.text, "/account/verify/", "/api/account/verify");
    assert_eq!(app.get(&path).await.json()["success"], true);

    assert_eq!(app.post("/api/account/forgotpassword", json!({ "email": MARY })).await.status, 200);
    let reset = path_of_link(&next().await.text, "/account/reset-password/", "");
    let token = reset.strip_prefix("?token=").unwrap();
    let change = json!({ "password": CHANGED, "confirmation": CHANGED, "token": token });
    assert_eq!(app.post("/api/account/changepassword", change).await.status, 200);

    let signed_in = app.post("/api/account/login", json!({ "email": MARY, "password": CHANGED })).await;
    let (token, organization) = (signed_in.field("token"), signed_in.json()["user"]["organizations"][0]["id"].clone());
    let path = format!("/api/org/{organization}/invitelink");
    let body: Value = json!({ "email": "paul@example.test", "send": true });
    assert_eq!(app.request(app.to("POST", &path).bearer_auth(&token).json(&body)).await.status, 200);
    let invitation = next().await;
    assert_eq!(invitation.to, ["paul@example.test"]);
    let path = path_of_link(&invitation.text, "/account/invite/", "/api/org/invite");
    assert_eq!(app.get(&path).await.json()["email"], "paul@example.test");

    let change = app.to("POST", "/api/account/requestemailchange").bearer_auth(&token);
    assert_eq!(app.request(change.json(&json!({ "newEmail": "mary@new.example.test" }))).await.status, 200);
    assert_eq!(next().await.to, ["mary@new.example.test"]);
}
