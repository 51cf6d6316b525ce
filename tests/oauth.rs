//! The token endpoint (contract seeds §4; RFC 6749 §4.3, §4.4, §5 and §6): whole bodies, every error, and who may use
//! whose refresh token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cognate::config::Secret;
use cognate::pool::client::Rotation;
use cognate::pool::{Client, NewUser, Surface, Terms};
use serde_json::json;

use crate::app::{Answer, PASSWORD, TestApp, claims, story};
use crate::servers::redis::Server;

const TOKEN: &str = "/oauth/token";
const NO_GRANT: (u16, &str) =
    (400, r#"{"error":"invalid_grant","error_description":"Incorrect username or password."}"#);
const NO_REFRESH: (u16, &str) =
    (400, r#"{"error":"invalid_grant","error_description":"The refresh token is invalid, expired or revoked."}"#);
const NO_CLIENT: &str = r#"{"error":"invalid_client","error_description":"Client authentication failed."}"#;

/// The fields of a form.
type Form<'a> = &'a [(&'a str, &'a str)];

fn refusal(status: u16, error: &str, description: &str) -> (u16, String) {
    (status, format!(r#"{{"error":"{error}","error_description":"{description}"}}"#))
}

/// A registered user's way into the endpoint.
struct Credential {
    id: String,
    secret: String,
}

impl Credential {
    /// Registers a user, by the API that hands credentials out.
    async fn new(app: &TestApp, email: &str) -> Self {
        let admin = match app.login("ada", PASSWORD).await {
            known if known.status == 200 => known.field("access_token"),
            _ => app.admin().await,
        };
        let data = app.amadis_register(&admin, email).await.json()["data"].clone();
        let text = |name: &str| data[name].as_str().unwrap().to_owned();
        Self { id: text("user_id"), secret: text("user_secret") }
    }

    /// Sends the form with the credential in it.
    async fn post(&self, app: &TestApp, form: Form<'_>) -> Answer {
        let own = [("client_id", self.id.as_str()), ("client_secret", self.secret.as_str())];
        app.token(&[form, &own].concat()).await
    }

    async fn sign_in(&self, app: &TestApp, username: &str, password: &str) -> Answer {
        self.post(app, &[("grant_type", "password"), ("username", username), ("password", password)]).await
    }

    async fn refresh(&self, app: &TestApp, token: &str) -> Answer {
        self.post(app, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }
}

impl TestApp {
    async fn token(&self, form: Form<'_>) -> Answer {
        self.request(self.to("POST", TOKEN).form(form)).await
    }

    fn surface(&self, surface: Surface) -> Client {
        self.api.pools.surface(surface).unwrap().1
    }

    async fn change_surface(&self, surface: Surface, change: impl Fn(&mut Client) + Send + Sync) {
        self.api.pools.update_client(&self.pool(), &self.surface(surface).id, change).await.unwrap();
        self.reload().await;
    }

    /// The refresh token of a sign-in through another API.
    async fn refresh_token_of(&self, surface: Surface, name: &str) -> String {
        let source = std::net::IpAddr::from([127, 0, 0, 1]);
        let proven = self.pool().prove(&self.surface(surface), name, PASSWORD, source).await.unwrap();
        let tokens = self.pool().tokens_at_once(Terms::from(&self.surface(surface)), &proven).await;
        tokens.unwrap().refresh_token.unwrap()
    }
}

fn assert_headers(answer: &Answer) {
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
}

story!(a_password_yields_an_access_and_a_refresh_token);
async fn a_password_yields_an_access_and_a_refresh_token(app: TestApp) {
    let credential = Credential::new(&app, "shop@example.test").await;
    app.user("alice").await;
    let form = [("grant_type", "password"), ("username", "Alice@example.test"), ("password", PASSWORD)];
    let basic = || app.to("POST", TOKEN).form(&form);
    let mut issued = Vec::new();
    let encoded: String = credential.secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for answer in [
        credential.post(&app, &form).await,
        app.request(basic().basic_auth(&credential.id, Some(&credential.secret))).await,
        // As RFC 6749 §2.3.1 has it; and who names himself twice in the same way names himself once.
        app.request(basic().basic_auth(&credential.id, Some(&encoded))).await,
        app.request(
            app.to("POST", TOKEN)
                .form(&[&form[..], &[("client_id", credential.id.as_str())]].concat())
                .basic_auth(&credential.id, Some(&credential.secret)),
        )
        .await,
    ] {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let (access, refresh) = (answer.field("access_token"), answer.field("refresh_token"));
        let whole = format!(
            r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{access}","refresh_token":"{refresh}"}}"#
        );
        assert_eq!(answer.whole(), (200, whole.as_str()));
        assert_headers(&answer);
        let said = claims(&access);
        assert_eq!(
            (said["username"].as_str(), said["scope"].as_str()),
            (Some("alice"), Some("aws.cognito.signin.user.admin"))
        );
        assert_eq!(said["client_id"], app.surface(Surface::Amadis).id);
        assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 3600);
        assert!(app.accepts(&access).await);
        issued.push(access);
    }
    app.clock.advance_seconds(3600);
    for access in issued {
        assert!(!app.accepts(&access).await);
    }
}

story!(an_administrators_token_from_here_opens_the_administration);
async fn an_administrators_token_from_here_opens_the_administration(app: TestApp) {
    let credential = Credential::new(&app, "shop@example.test").await;
    let admin = credential.sign_in(&app, "ada", PASSWORD).await.field("access_token");
    assert_eq!(app.amadis_register(&admin, "bob@example.test").await.status, 201);
}

story!(client_credentials_yield_a_token_of_the_registered_user_and_no_refresh_token);
async fn client_credentials_yield_a_token_of_the_registered_user_and_no_refresh_token(app: TestApp) {
    let credential = Credential::new(&app, "terminal@example.test").await;
    for extra in [&[][..], &[("terminalid", "17"), ("resource", "x"), ("scope", "")]] {
        let answer = credential.post(&app, &[&[("grant_type", "client_credentials")], extra].concat()).await;
        let access = answer.field("access_token");
        let whole = format!(r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{access}"}}"#);
        assert_eq!(answer.whole(), (200, whole.as_str()));
        assert_headers(&answer);
        let user = app.pool().find_user("terminal@example.test").await.unwrap();
        assert_eq!(claims(&access)["sub"], user.sub.to_string());
        assert!(app.accepts(&access).await);
        assert_eq!(app.pool().sessions_of(&user).await.unwrap().len(), 1, "the session ends with its token");
        app.clock.advance_seconds(3600);
        assert!(!app.accepts(&access).await);
    }
}

story!(a_refresh_token_yields_the_next_access_token);
async fn a_refresh_token_yields_the_next_access_token(app: TestApp) {
    let credential = Credential::new(&app, "shop@example.test").await;
    app.user("alice").await;
    let tokens = credential.sign_in(&app, "alice", PASSWORD).await;
    let answer = credential.refresh(&app, &tokens.field("refresh_token")).await;
    let access = answer.field("access_token");
    let whole = format!(r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{access}"}}"#);
    assert_eq!(answer.whole(), (200, whole.as_str()), "the client does not rotate: the refresh token stays");
    assert_headers(&answer);
    assert_eq!(claims(&access)["origin_jti"], claims(&tokens.field("access_token"))["origin_jti"]);
    let basic = app.to("POST", TOKEN).basic_auth(&credential.id, Some(&credential.secret));
    let refresh = tokens.field("refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    assert_eq!(app.request(basic.form(&form)).await.status, 200);
    // The session ends when the settings say, however often it is refreshed.
    app.clock.advance_seconds(30 * 86_400);
    assert_eq!(credential.refresh(&app, &refresh).await.whole(), NO_REFRESH);
}

// S08
story!(where_the_client_rotates_the_answer_carries_the_next_refresh_token);
async fn where_the_client_rotates_the_answer_carries_the_next_refresh_token(app: TestApp) {
    app.change_surface(Surface::Amadis, |client| client.rotation = Some(Rotation { grace_seconds: 0 })).await;
    let credential = Credential::new(&app, "shop@example.test").await;
    app.user("alice").await;
    let first = credential.sign_in(&app, "alice", PASSWORD).await.field("refresh_token");
    let mut token = first.clone();
    for _ in 0..2 {
        app.clock.advance_seconds(1);
        let answer = credential.refresh(&app, &token).await;
        let (access, next) = (answer.field("access_token"), answer.field("refresh_token"));
        let whole = format!(
            r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{access}","refresh_token":"{next}"}}"#
        );
        assert_eq!(answer.whole(), (200, whole.as_str()));
        assert_ne!(next, token);
        token = next;
    }
    // RFC 9700 §4.14: an old one that comes back ends the session.
    app.clock.advance_seconds(1);
    assert_eq!(credential.refresh(&app, &first).await.whole(), NO_REFRESH);
    assert_eq!(credential.refresh(&app, &token).await.whole(), NO_REFRESH);
}

// S09
story!(a_refresh_token_is_worth_nothing_to_another_client_and_takes_no_harm);
async fn a_refresh_token_is_worth_nothing_to_another_client_and_takes_no_harm(app: TestApp) {
    app.change_surface(Surface::Amadis, |client| client.rotation = Some(Rotation { grace_seconds: 0 })).await;
    let (one, other) =
        (Credential::new(&app, "one@example.test").await, Credential::new(&app, "other@example.test").await);
    app.user("alice").await;
    let tokens = one.sign_in(&app, "alice", PASSWORD).await;
    let (token, access) = (tokens.field("refresh_token"), tokens.field("access_token"));
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    for _ in 0..3 {
        app.clock.advance_seconds(1);
        assert_eq!(other.refresh(&app, &token).await.whole(), NO_REFRESH);
        for public in [Surface::Amadis, Surface::Astera, Surface::V1] {
            let client = app.surface(public).id;
            assert_eq!(app.token(&[&form[..], &[("client_id", &client)]].concat()).await.whole(), NO_REFRESH);
        }
        assert_eq!(app.refresh("alice", &token).await.status, 401);
        assert_eq!(app.revoke(&token).await.status, 401);
    }
    // Nor does the credential's id do without its secret.
    assert_eq!(app.token(&[&form[..], &[("client_id", &one.id)]].concat()).await.whole(), (400, NO_CLIENT));
    assert_eq!(app.token(&form).await.whole(), (400, NO_CLIENT));
    assert!(app.accepts(&access).await);
    assert_eq!(one.refresh(&app, &token).await.status, 200);
    // And the other way round: what another API gave is not the credential's.
    let theirs = app.refresh_token_of(Surface::Astera, "alice").await;
    assert_eq!(one.refresh(&app, &theirs).await.whole(), NO_REFRESH);
}

story!(an_app_client_refreshes_its_own_tokens_without_a_secret_and_may_do_nothing_else);
async fn an_app_client_refreshes_its_own_tokens_without_a_secret_and_may_do_nothing_else(app: TestApp) {
    app.user("alice").await;
    for (surface, life) in [(Surface::Astera, 3600), (Surface::V1, 86_400)] {
        let client = app.surface(surface).id;
        let token = app.refresh_token_of(surface, "alice").await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let basic = app.to("POST", TOKEN).form(&form).basic_auth(&client, Some(""));
        for answer in [app.token(&[&form[..], &[("client_id", &client)]].concat()).await, app.request(basic).await] {
            let access = answer.field("access_token");
            let whole = format!(r#"{{"token_type":"Bearer","expires_in":{life},"access_token":"{access}"}}"#);
            assert_eq!(answer.whole(), (200, whole.as_str()));
            assert_eq!(claims(&access)["client_id"], client);
        }
        let user = [("username", "alice"), ("password", PASSWORD), ("client_id", client.as_str())];
        for grant in ["password", "client_credentials"] {
            let answer = app.token(&[&user[..], &[("grant_type", grant)]].concat()).await;
            let words = "The client may not use this grant type.";
            assert_eq!((answer.status, answer.text), refusal(400, "unauthorized_client", words));
        }
        // It has no secret, so any is wrong.
        let secret = [("client_id", client.as_str()), ("client_secret", "secret")];
        assert_eq!(app.token(&[&form[..], &secret].concat()).await.whole(), (400, NO_CLIENT));
    }
}

story!(a_client_whose_api_speaks_for_another_one_now_is_itself_and_no_other);
async fn a_client_whose_api_speaks_for_another_one_now_is_itself_and_no_other(app: TestApp) {
    app.user("alice").await;
    let made = app.surface(Surface::Astera).id;
    let token = app.refresh_token_of(Surface::Astera, "alice").await;
    let theirs = app.refresh_token_of(Surface::V1, "alice").await;
    let mut config = app.config.clone();
    config.astera.client = Some(app.client().id);
    let replica = app.replica_with(config).await;
    let form = [("grant_type", "refresh_token"), ("client_id", made.as_str())];
    let answer = replica.token(&[&form[..], &[("refresh_token", &token)]].concat()).await;
    assert_eq!(claims(&answer.field("access_token"))["client_id"], made);
    assert_eq!(replica.token(&[&form[..], &[("refresh_token", &theirs)]].concat()).await.whole(), NO_REFRESH);
}

story!(the_limit_of_v1_holds_here_too, |config| config.v1.max_access_tokens = 3);
async fn the_limit_of_v1_holds_here_too(app: TestApp) {
    let token = app.signed_in("alice").await.field("refresh_token");
    let client = app.client().id;
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("client_id", &client)];
    for _ in 0..3 {
        assert_eq!(app.token(&form).await.status, 200);
    }
    let answer = app.token(&form).await;
    assert_eq!((answer.status, answer.text), refusal(400, "invalid_grant", "Refresh tokens limit has been exceeded."));
    assert_eq!(app.refresh("alice", &token).await.status, 429);
}

story!(a_client_of_no_api_refreshes_with_its_own_lives);
async fn a_client_of_no_api_refreshes_with_its_own_lives(app: TestApp) {
    app.user("alice").await;
    let draft = Client::new(String::new(), String::new(), "web shop".to_owned(), crate::app::START);
    let draft = Client { access_token_seconds: 600, ..draft };
    let client = app.api.pools.create_client(&app.pool(), draft).await.unwrap();
    app.reload().await;
    let source = std::net::IpAddr::from([127, 0, 0, 1]);
    let proven = app.pool().prove(&app.client(), "alice", PASSWORD, source).await.unwrap();
    let tokens = app.pool().tokens_at_once(Terms::from(&client), &proven).await.unwrap();
    let token = tokens.refresh_token.unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("client_id", &client.id)];
    assert_eq!(app.token(&form).await.json()["expires_in"], 600);
}

story!(a_request_that_is_not_well_formed_is_refused_before_anybody_is_judged);
async fn a_request_that_is_not_well_formed_is_refused_before_anybody_is_judged(app: TestApp) {
    let credential = Credential::new(&app, "shop@example.test").await;
    let (id, secret) = (credential.id.as_str(), credential.secret.as_str());
    let sign_in = [("grant_type", "password"), ("username", "alice"), ("password", "guess")];
    let rows: [(Form<'_>, &str, &str); 12] = [
        (&[], "invalid_request", "grant_type is required."),
        (&[("grant_type", "")], "invalid_request", "grant_type is required."),
        (
            &[("grant_type", "authorization_code"), ("code", "x")],
            "unsupported_grant_type",
            "The grant type is not supported.",
        ),
        (&[("grant_type", "Password")], "unsupported_grant_type", "The grant type is not supported."),
        (&[("grant_type", "password"), ("password", "x")], "invalid_request", "username is required."),
        (
            &[("grant_type", "password"), ("username", "alice"), ("password", "")],
            "invalid_request",
            "password is required.",
        ),
        (&[("grant_type", "refresh_token")], "invalid_request", "refresh_token is required."),
        (&[sign_in[0], sign_in[0], sign_in[1], sign_in[2]], "invalid_request", "A parameter must not be given twice."),
        (
            &[sign_in[0], sign_in[1], sign_in[2], ("terminalid", "1"), ("terminalid", "2")],
            "invalid_request",
            "A parameter must not be given twice.",
        ),
        (&[sign_in[0], sign_in[1], ("password", "a\0b")], "invalid_request", "A parameter must not contain NUL."),
        (&[sign_in[0], sign_in[1], sign_in[2], ("scope", "openid")], "invalid_scope", "The scope is unknown."),
        (
            &[("grant_type", "client_credentials"), ("scope", "aws.cognito.signin.user.admin admin")],
            "invalid_scope",
            "The scope is unknown.",
        ),
    ];
    for (form, error, description) in rows {
        let answer = credential.post(&app, form).await;
        assert_eq!((answer.status, answer.text.clone()), refusal(400, error, description));
        assert_headers(&answer);
        let anonymous = app.token(form).await;
        assert_eq!((anonymous.status, anonymous.text), refusal(400, error, description));
    }
    let whole = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let form = "application/x-www-form-urlencoded";
    let wrong_type = "The content type must be application/x-www-form-urlencoded.";
    let typed = |kind: &'static str| app.to("POST", TOKEN).header("content-type", kind).body(whole.clone());
    let body = json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
    for (request, status, description) in [
        (app.to("POST", TOKEN).json(&body), 400, wrong_type),
        (typed("text/plain"), 400, wrong_type),
        (app.to("POST", &format!("{TOKEN}?{whole}")), 400, wrong_type),
        (typed(form).header("content-encoding", "gzip"), 400, "The content encoding is not supported."),
        (app.to("POST", TOKEN).form(&[("grant_type", "x".repeat(70_000))]), 413, "The body is too large."),
        (typed(form).basic_auth(id, Some(secret)), 400, "The client must authenticate in one way only."),
    ] {
        let answer = app.request(request).await;
        assert_eq!((answer.status, answer.text.clone()), refusal(status, "invalid_request", description));
        assert_headers(&answer);
    }
    // Nothing in the query string counts (D15).
    let query = app.to("POST", &format!("{TOKEN}?client_id={id}&client_secret={secret}"));
    let answer = app.request(query.form(&[("grant_type", "client_credentials")])).await;
    assert_eq!(answer.whole(), (400, NO_CLIENT));
    let other = app.to("POST", TOKEN).basic_auth(id, Some(secret));
    let answer = app.request(other.form(&[("grant_type", "client_credentials"), ("client_id", "17")])).await;
    let words = "client_id is not the one of the Authorization header.";
    assert_eq!((answer.status, answer.text), refusal(400, "invalid_request", words));
    let twice = app.to("POST", TOKEN).header("authorization", "Basic eDp5").header("authorization", "Basic eDp5");
    let answer = app.request(twice.form(&[("grant_type", "client_credentials")])).await;
    assert_eq!((answer.status, answer.text), refusal(400, "invalid_request", "Authorization must not be given twice."));
}

story!(a_client_that_does_not_prove_itself_is_refused_and_told_how_if_it_used_the_header);
async fn a_client_that_does_not_prove_itself_is_refused_and_told_how_if_it_used_the_header(app: TestApp) {
    let credential = Credential::new(&app, "shop@example.test").await;
    app.user("alice").await;
    let alice = app.pool().public_id(&app.pool().find_user("alice").await.unwrap()).to_string();
    let absent = app.pool().absent_public_id("nobody@example.test").to_string();
    let grant = [("grant_type", "client_credentials")];
    let first = credential.post(&app, &grant).await;
    assert_eq!(first.status, 200);
    let mut seen = Vec::new();
    for (id, secret) in [
        (credential.id.as_str(), "wrong"),
        (&alice, &credential.secret),
        (&absent, &credential.secret),
        ("no id", &credential.secret),
        ("shop@example.test", PASSWORD),
        ("99999999999999999999", &credential.secret),
    ] {
        let body = app.token(&[&grant[..], &[("client_id", id), ("client_secret", secret)]].concat()).await;
        assert_eq!((body.whole(), body.header("www-authenticate")), ((400, NO_CLIENT), None), "{id}");
        assert_headers(&body);
        let basic = app.request(app.to("POST", TOKEN).form(&grant).basic_auth(id, Some(secret))).await;
        assert_eq!(basic.whole(), (401, NO_CLIENT), "{id}");
        assert_eq!(basic.header("www-authenticate"), Some(r#"Basic realm="oauth""#));
        assert_headers(&basic);
        seen.push(basic);
    }
    // D01: no refusal tells which ids are there.
    assert!(seen.iter().all(|answer| answer.sight() == seen[0].sight()));
    let no_secret = format!("Basic {}", STANDARD.encode(&credential.id));
    let not_text = format!("Basic {}", STANDARD.encode(b"\xff\xfe:x"));
    let escaped = format!("Basic {}", STANDARD.encode("%ff:x"));
    for header in ["Basic", "Basic !", "Bearer abc", "Digest x", "", &no_secret, &not_text, &escaped] {
        let answer = app.request(app.to("POST", TOKEN).form(&grant).header("authorization", header)).await;
        assert_eq!(answer.sight(), seen[0].sight(), "{header}");
    }
    assert_eq!(app.token(&grant).await.whole(), (400, NO_CLIENT));
    app.pool().disable_user("shop@example.test").await.unwrap();
    assert_eq!(credential.post(&app, &grant).await.whole(), (400, NO_CLIENT));
}

story!(a_password_or_refresh_token_that_is_no_good_is_an_invalid_grant);
async fn a_password_or_refresh_token_that_is_no_good_is_an_invalid_grant(app: TestApp) {
    let credential = Credential::new(&app, "shop@example.test").await;
    app.user("alice").await;
    let first = credential.sign_in(&app, "alice", "not the password").await;
    assert_eq!(first.whole(), NO_GRANT);
    assert_headers(&first);
    app.user("off").await;
    app.pool().disable_user("off").await.unwrap();
    // D01
    for name in ["nobody", "nobody@example.test", "off", "\u{200b}"] {
        assert_eq!(credential.sign_in(&app, name, PASSWORD).await.sight(), first.sight(), "{name}");
    }
    let tokens = credential.sign_in(&app, "alice", PASSWORD).await;
    for token in ["no token", &tokens.field("access_token"), "\u{e9}"] {
        let answer = credential.refresh(&app, token).await;
        assert_eq!(answer.whole(), NO_REFRESH);
        assert_headers(&answer);
    }
    app.pool().sign_out_user("alice").await.unwrap();
    assert_eq!(credential.refresh(&app, &tokens.field("refresh_token")).await.whole(), NO_REFRESH);
    // A temporary password can not be replaced here; its holder is told.
    let newcomer = NewUser { temporary: true, ..NewUser::new("newcomer", PASSWORD) };
    app.pool().create_user(newcomer).await.unwrap();
    let answer = credential.sign_in(&app, "newcomer", PASSWORD).await;
    assert_eq!((answer.status, answer.text), refusal(400, "invalid_grant", "A new password must be chosen first."));
    app.pool().set_password("shop@example.test", PASSWORD, true).await.unwrap();
    let answer = credential.post(&app, &[("grant_type", "client_credentials")]).await;
    assert_eq!((answer.status, answer.text), refusal(400, "invalid_grant", "A new password must be chosen first."));
}

story!(the_one_scope_there_is_may_be_asked_for);
async fn the_one_scope_there_is_may_be_asked_for(app: TestApp) {
    let credential = Credential::new(&app, "shop@example.test").await;
    let scoped = [("grant_type", "client_credentials"), ("scope", "aws.cognito.signin.user.admin")];
    let answer = credential.post(&app, &scoped).await;
    assert_eq!(answer.status, 200);
    assert_eq!(claims(&answer.field("access_token"))["scope"], "aws.cognito.signin.user.admin");
}

// S19
story!(guesses_at_a_secret_or_a_password_are_throttled);
async fn guesses_at_a_secret_or_a_password_are_throttled(app: TestApp) {
    let credential = Credential::new(&app, "shop@example.test").await;
    let words = "Attempt limit exceeded, please try after some time.";
    app.user("alice").await;
    for _ in 0..5 {
        assert_eq!(credential.sign_in(&app, "alice", "not the password").await.whole(), NO_GRANT);
    }
    let locked = credential.sign_in(&app, "alice", PASSWORD).await;
    assert_eq!((locked.status, locked.text.clone()), refusal(429, "slow_down", words));
    assert_eq!(locked.header("retry-after"), Some("1"));
    assert_headers(&locked);
    let guess = [("grant_type", "client_credentials"), ("client_id", &credential.id), ("client_secret", "guess")];
    for _ in 0..5 {
        assert_eq!(app.token(&guess).await.whole(), (400, NO_CLIENT));
    }
    let locked = credential.post(&app, &[("grant_type", "client_credentials")]).await;
    assert_eq!((locked.status, locked.text), refusal(429, "slow_down", words));
    app.clock.advance_seconds(1);
    assert_eq!(credential.post(&app, &[("grant_type", "client_credentials")]).await.status, 200);
}

story!(only_post_is_answered_and_pages_of_any_origin_may_call);
async fn only_post_is_answered_and_pages_of_any_origin_may_call(app: TestApp) {
    for method in ["GET", "PUT", "DELETE"] {
        let answer = app.request(app.to(method, TOKEN)).await;
        assert_eq!(answer.header("allow"), Some("POST"));
        assert_headers(&answer);
        assert_eq!((answer.status, answer.text), refusal(405, "invalid_request", "The method must be POST."));
    }
    let preflight = app.to("OPTIONS", TOKEN).header("origin", "https://shop.example");
    let preflight = app.request(preflight.header("access-control-request-method", "POST")).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("*")));
}

#[tokio::test]
async fn without_the_token_store_the_answer_is_a_503_and_the_same_call_succeeds_later() {
    let mut redis = Server::start(&["--appendonly", "yes"]);
    let url = redis.url();
    let app = TestApp::start_with(|config| config.tokens.url = Secret::new(url)).await;
    let credential = Credential::new(&app, "shop@example.test").await;
    app.user("alice").await;
    let token = credential.sign_in(&app, "alice", PASSWORD).await.field("refresh_token");
    redis.kill();
    for answer in [credential.sign_in(&app, "alice", PASSWORD).await, credential.refresh(&app, &token).await] {
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_headers(&answer);
        let words = "Service is temporarily unavailable, please try again.";
        assert_eq!((answer.status, answer.text), refusal(503, "temporarily_unavailable", words));
    }
    redis.up();
    let mut answer = credential.refresh(&app, &token).await;
    for _ in 0..200 {
        if answer.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        answer = credential.refresh(&app, &token).await;
    }
    assert_eq!(answer.status, 200, "{}", answer.text);
}
