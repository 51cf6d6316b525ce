//! The Amadis user API (contract seeds §4): every row of its table, whole bodies, and who may call.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cognate::config::Secret;
use cognate::pool::password::PasswordPolicy;
use cognate::pool::{NewGroup, NewUser};
use cognate::store::directory::UserStatus;
use serde_json::json;

use crate::app::{Answer, PASSWORD, TestApp, claims, story};
use crate::servers::redis::Server;

const REGISTER: &str = "/api/user/v1/register";
const CHANGE: &str = "/api/user/v1/changepassword";
const RESET: &str = "/api/user/v1/resetpassword";
const OTHER: &str = "another long password";
const WRONG: (u16, &str) = (422, r#"{"status":"error","data":{"error":"Incorrect email or password."}}"#);
const SUCCESS: (u16, &str) = (200, r#"{"status":"success"}"#);

fn refusal(status: u16, error: &str) -> (u16, String) {
    (status, format!(r#"{{"status":"error","data":{{"error":"{error}"}}}}"#))
}

impl TestApp {
    /// An administrator's access token.
    pub async fn admin(&self) -> String {
        let pool = self.pool();
        let _ = pool.create_group(NewGroup { name: "admin".to_owned(), ..NewGroup::default() }).await;
        let groups = vec!["admin".to_owned()];
        pool.create_user(NewUser { groups, ..NewUser::new("ada", PASSWORD) }).await.unwrap();
        self.login("ada", PASSWORD).await.field("access_token")
    }

    /// A user who signs in by address; answers his access token.
    pub async fn member(&self, email: &str) -> String {
        let draft = NewUser { email: Some(email.to_owned()), ..NewUser::new(email, PASSWORD) };
        self.pool().create_user(draft).await.unwrap();
        self.login(email, PASSWORD).await.field("access_token")
    }

    async fn form(&self, method: &str, path: &str, token: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.to(method, path).form(form);
        self.request(if token.is_empty() { request } else { request.bearer_auth(token) }).await
    }

    /// Registers a user by the Amadis API.
    pub async fn amadis_register(&self, admin: &str, email: &str) -> Answer {
        let form = [("name", "Bob B."), ("email", email), ("password", PASSWORD)];
        self.form("POST", REGISTER, admin, &form).await
    }

    async fn amadis_change(&self, token: &str, email: &str, old: &str, new: &str) -> Answer {
        self.form("PATCH", CHANGE, token, &[("email", email), ("oldpassword", old), ("newpassword", new)]).await
    }
}

story!(an_administrator_registers_a_user_who_gets_an_id_and_a_secret_once);
async fn an_administrator_registers_a_user_who_gets_an_id_and_a_secret_once(app: TestApp) {
    let admin = app.admin().await;
    let answer = app.amadis_register(&admin, "Bob@example.test").await;
    let data = &answer.json()["data"];
    let (id, secret) = (data["id"].as_i64().unwrap(), data["user_secret"].as_str().unwrap());
    let whole = format!(r#"{{"status":"success","data":{{"id":{id},"user_id":"{id}","user_secret":"{secret}"}}}}"#);
    assert_eq!(answer.whole(), (201, whole.as_str()));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(STANDARD.decode(secret).unwrap().len(), 32);
    let user = app.pool().find_user("bob@example.test").await.unwrap();
    assert_eq!((user.username.as_str(), user.email.as_deref()), ("Bob@example.test", Some("Bob@example.test")));
    assert!(user.email_verified && user.status == UserStatus::Confirmed);
    assert_eq!(user.attributes["name"], "Bob B.");
    assert_eq!(app.pool().public_id(&user), id);
    assert!((1..1 << 31).contains(&id));
    // A dump of the store gives the secret to nobody.
    assert!(user.client_secret.is_some_and(|stored| !stored.contains(secret)));
    let tokens = app.login("bob@example.test", PASSWORD).await;
    assert_eq!(claims(&tokens.field("id_token"))["name"], "Bob B.");
}

story!(forms_json_and_multipart_and_any_case_of_the_path_are_read);
async fn forms_json_and_multipart_and_any_case_of_the_path_are_read(app: TestApp) {
    let admin = app.admin().await;
    let fields =
        |email: &str| [("name", "Bob"), ("email", email), ("password", PASSWORD)].map(|(a, b)| (a, b.to_owned()));
    let multipart = |email: &str| {
        let all = fields(email).into_iter();
        all.fold(reqwest::multipart::Form::new(), |form, (name, value)| form.text(name, value))
    };
    let json: std::collections::BTreeMap<_, _> = fields("b@example.test").into();
    for request in [
        app.to("POST", REGISTER).form(&fields("a@example.test")),
        app.to("POST", "/API/User/V1/Register").json(&json),
        app.to("POST", "/api/user/v1/REGISTER/").multipart(multipart("c@example.test")),
    ] {
        let answer = app.request(request.bearer_auth(&admin)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
}

story!(a_registration_that_is_refused_says_why);
async fn a_registration_that_is_refused_says_why(app: TestApp) {
    let admin = app.admin().await;
    assert_eq!(app.amadis_register(&admin, "taken@example.test").await.status, 201);
    let long = "x".repeat(257);
    let rows: [(&[(&str, &str)], &str); 13] = [
        (&[], "name is required."),
        (&[("name", "Bob")], "email is required."),
        (&[("name", "Bob"), ("email", "bob@example.test")], "password is required."),
        (&[("name", ""), ("email", "bob@example.test"), ("password", PASSWORD)], "name must not be empty."),
        (&[("name", "Bob"), ("email", ""), ("password", PASSWORD)], "email must not be empty."),
        (&[("name", "Bob"), ("email", "bob@example.test"), ("password", "")], "password must not be empty."),
        (
            &[("name", &long), ("email", "bob@example.test"), ("password", PASSWORD)],
            "name must have at most 255 characters.",
        ),
        (&[("name", "B\0b"), ("email", "bob@example.test"), ("password", PASSWORD)], "name must not contain NUL."),
        (&[("name", "Bob"), ("email", "bob"), ("password", PASSWORD)], "email must be an email address in ASCII"),
        (
            &[("name", "Bob"), ("email", "a@x.test\r\nBcc: b@x.test"), ("password", PASSWORD)],
            "email must be an email address in ASCII",
        ),
        (&[("name", "Bob"), ("email", "TAKEN@example.test"), ("password", PASSWORD)], "User already exists"),
        (
            &[("name", "Bob"), ("email", "bob@example.test"), ("password", "short")],
            "Password does not conform to policy: Password not long enough",
        ),
        (
            &[("name", "B"), ("name", "C"), ("email", "bob@example.test"), ("password", PASSWORD)],
            "name must not be given twice.",
        ),
    ];
    for (form, error) in rows {
        let answer = app.form("POST", REGISTER, &admin, form).await;
        assert_eq!((answer.status, answer.text), refusal(422, error));
    }
    assert_eq!(app.login("bob@example.test", PASSWORD).await.status, 401);
    let no_text = json!({ "name": "Bob", "email": ["bob@example.test"], "password": PASSWORD });
    let answer = app.request(app.to("POST", REGISTER).bearer_auth(&admin).json(&no_text)).await;
    assert_eq!((answer.status, answer.text), refusal(422, "email must be a string."));
    let plain = app.to("POST", REGISTER).bearer_auth(&admin).header("content-type", "text/plain").body("name=Bob");
    let words = "The content type must be application/x-www-form-urlencoded, application/json or multipart/form-data.";
    let answer = app.request(plain).await;
    assert_eq!((answer.status, answer.text), refusal(422, words));
    let large = app.to("POST", REGISTER).bearer_auth(&admin).form(&[("name", "x".repeat(70_000))]);
    let answer = app.request(large).await;
    assert_eq!((answer.status, answer.text), refusal(413, "The body is too large."));
}

// P01: the whole matrix is in tests/permission.rs; these are the words.
story!(only_administrators_register_and_reset);
async fn only_administrators_register_and_reset(app: TestApp) {
    let member = app.member("bob@example.test").await;
    let expired = {
        let token = app.member("old@example.test").await;
        app.clock.advance_seconds(86_400);
        token
    };
    let fresh = app.login("bob@example.test", PASSWORD).await;
    let (bob, refresh) = (fresh.field("access_token"), fresh.field("refresh_token"));
    let form = [("name", "Eve"), ("email", "eve@example.test"), ("password", PASSWORD)];
    for (method, path) in [("POST", REGISTER), ("PATCH", RESET), ("POST", RESET)] {
        for (token, status, error, challenge) in [
            ("", 401, "Authentication required.", Some("Bearer")),
            ("no token", 401, "The token is invalid.", Some(r#"Bearer error="invalid_token""#)),
            (refresh.as_str(), 401, "The token is invalid.", Some(r#"Bearer error="invalid_token""#)),
            (&expired, 401, "The token has expired.", Some(r#"Bearer error="invalid_token""#)),
            (&bob, 403, "Access denied.", None),
        ] {
            let answer = app.form(method, path, token, &form).await;
            assert_eq!((answer.status, answer.text.clone()), refusal(status, error), "{method} {path}");
            assert_eq!(answer.header("www-authenticate"), challenge);
        }
        let basic = app.request(app.to(method, path).basic_auth("ada", Some(PASSWORD)).form(&form)).await;
        assert_eq!((basic.status, basic.text), refusal(401, "Authentication required."));
    }
    assert_eq!(app.revoke(&refresh).await.status, 204);
    let revoked = app.form("PATCH", RESET, &bob, &form).await;
    assert_eq!((revoked.status, revoked.text), refusal(401, "The token has been revoked."));
    app.pool().disable_user("bob@example.test").await.unwrap();
    let disabled = app.form("PATCH", RESET, &member, &form).await;
    assert_eq!(disabled.status, 401);
    assert!(app.pool().find_user("eve@example.test").await.is_err());
}

story!(a_user_changes_his_own_password_and_his_other_sessions_end);
async fn a_user_changes_his_own_password_and_his_other_sessions_end(app: TestApp) {
    let other = app.member("bob@example.test").await;
    let own = app.login("bob@example.test", PASSWORD).await.field("access_token");
    let answer = app.amadis_change(&own, "BOB@example.test", PASSWORD, OTHER).await;
    assert_eq!(answer.whole(), SUCCESS);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(app.accepts(&own).await);
    assert!(!app.accepts(&other).await);
    assert_eq!(app.login("bob@example.test", PASSWORD).await.status, 401);
    assert_eq!(app.login("bob@example.test", OTHER).await.status, 200);
}

story!(an_administrator_changes_a_password_only_with_the_old_one);
async fn an_administrator_changes_a_password_only_with_the_old_one(app: TestApp) {
    let (admin, bob) = (app.admin().await, app.member("bob@example.test").await);
    let wrong = app.amadis_change(&admin, "bob@example.test", "not the password", OTHER).await;
    assert_eq!(wrong.whole(), WRONG);
    assert!(app.accepts(&bob).await);
    assert_eq!(app.amadis_change(&admin, "bob@example.test", PASSWORD, OTHER).await.whole(), SUCCESS);
    assert!(!app.accepts(&bob).await && app.accepts(&admin).await);
    assert_eq!(app.login("bob@example.test", OTHER).await.status, 200);
}

// D01
story!(a_wrong_old_password_and_an_unknown_address_are_the_same_answer);
async fn a_wrong_old_password_and_an_unknown_address_are_the_same_answer(app: TestApp) {
    let (admin, bob) = (app.admin().await, app.member("bob@example.test").await);
    let first = app.amadis_change(&admin, "bob@example.test", "not the password", OTHER).await;
    assert_eq!(first.whole(), WRONG);
    assert_eq!(app.amadis_change(&admin, "nobody@example.test", PASSWORD, OTHER).await.sight(), first.sight());
    app.member("off@example.test").await;
    app.pool().disable_user("off@example.test").await.unwrap();
    assert_eq!(app.amadis_change(&admin, "off@example.test", PASSWORD, OTHER).await.sight(), first.sight());
    // Who may not change another's password does not learn by it who is there.
    let another = app.amadis_change(&bob, "off@example.test", PASSWORD, OTHER).await;
    assert_eq!((another.status, another.text.clone()), refusal(403, "Access denied."));
    assert_eq!(app.amadis_change(&bob, "nobody@example.test", PASSWORD, OTHER).await.sight(), another.sight());
}

story!(the_later_version_of_the_page_calls_a_wrong_password_400, |config| config.amadis.wrong_password_status = 400);
async fn the_later_version_of_the_page_calls_a_wrong_password_400(app: TestApp) {
    let bob = app.member("bob@example.test").await;
    let answer = app.amadis_change(&bob, "bob@example.test", "not the password", OTHER).await;
    assert_eq!(answer.whole(), (400, WRONG.1));
    let admin = app.admin().await;
    assert_eq!(app.amadis_change(&admin, "nobody@example.test", PASSWORD, OTHER).await.sight(), answer.sight());
    // What else is wrong with the request stays a 422.
    let weak = app.amadis_change(&bob, "bob@example.test", PASSWORD, "iloveyou").await;
    let policy = "Password does not conform to policy: Password is too common";
    assert_eq!((weak.status, weak.text), refusal(422, policy));
    app.change_pool(|pool| pool.password_history = 1).await;
    let used = app.amadis_change(&bob, "bob@example.test", PASSWORD, PASSWORD).await;
    assert_eq!((used.status, used.text), refusal(422, "Password has previously been used"));
}

story!(a_change_that_is_refused_says_why);
async fn a_change_that_is_refused_says_why(app: TestApp) {
    let bob = app.member("bob@example.test").await;
    let rows: [(&[(&str, &str)], &str); 5] = [
        (&[("oldpassword", PASSWORD), ("newpassword", OTHER)], "email is required."),
        (&[("email", "bob@example.test"), ("newpassword", OTHER)], "oldpassword is required."),
        (&[("email", "bob@example.test"), ("oldpassword", PASSWORD)], "newpassword is required."),
        (
            &[("email", "bob"), ("oldpassword", PASSWORD), ("newpassword", OTHER)],
            "email must be an email address in ASCII",
        ),
        (
            &[("email", "bob@example.test"), ("oldpassword", PASSWORD), ("newpassword", "bob2026!")],
            "Password does not conform to policy: Password must not be your own name",
        ),
    ];
    for (form, error) in rows {
        let answer = app.form("PATCH", CHANGE, &bob, form).await;
        assert_eq!((answer.status, answer.text), refusal(422, error));
    }
    for token in ["", "no token"] {
        assert_eq!(app.amadis_change(token, "bob@example.test", PASSWORD, OTHER).await.status, 401);
    }
    assert_eq!(app.login("bob@example.test", PASSWORD).await.status, 200);
}

// G02: a change by address and old password is a sign-in to the throttle.
story!(guesses_at_the_old_password_are_throttled);
async fn guesses_at_the_old_password_are_throttled(app: TestApp) {
    let bob = app.member("bob@example.test").await;
    for _ in 0..5 {
        assert_eq!(app.amadis_change(&bob, "bob@example.test", "not the password", OTHER).await.whole(), WRONG);
    }
    let locked = app.amadis_change(&bob, "bob@example.test", PASSWORD, OTHER).await;
    assert_eq!(locked.header("retry-after"), Some("1"));
    assert_eq!((locked.status, locked.text), refusal(429, "Attempt limit exceeded, please try after some time."));
    assert_eq!(app.login("bob@example.test", PASSWORD).await.status, 429);
}

story!(a_setting_lets_the_old_password_do_without_a_token, |config| config.amadis.change_needs_token = false);
async fn a_setting_lets_the_old_password_do_without_a_token(app: TestApp) {
    let bob = app.member("bob@example.test").await;
    let wrong = app.amadis_change("", "bob@example.test", "not the password", OTHER).await;
    assert_eq!(wrong.whole(), WRONG);
    assert_eq!(app.amadis_change("", "nobody@example.test", PASSWORD, OTHER).await.sight(), wrong.sight());
    assert_eq!(app.amadis_change("", "bob@example.test", PASSWORD, OTHER).await.whole(), SUCCESS);
    assert!(!app.accepts(&bob).await);
    // A token that is given must be good all the same, and the two other operations go on needing one.
    assert_eq!(app.amadis_change(&bob, "bob@example.test", OTHER, PASSWORD).await.status, 401);
    assert_eq!(app.form("PATCH", RESET, "", &[("email", "bob@example.test")]).await.status, 401);
    assert_eq!(app.amadis_register("", "eve@example.test").await.status, 401);
}

story!(a_reset_answers_a_password_that_works_and_signs_the_user_out_everywhere);
async fn a_reset_answers_a_password_that_works_and_signs_the_user_out_everywhere(app: TestApp) {
    let admin = app.admin().await;
    app.change_pool(|pool| {
        pool.password_policy = PasswordPolicy::Cognito {
            min_length: 24,
            require_uppercase: true,
            require_lowercase: true,
            require_numbers: true,
            require_symbols: true,
        };
    })
    .await;
    let form = [("name", "Bob"), ("email", "Bob@example.test"), ("password", "Correct horse battery 1 staple")];
    assert_eq!(app.form("POST", REGISTER, &admin, &form).await.status, 201);
    let mut last = form[2].1.to_owned();
    for (method, email) in [("PATCH", "bob@EXAMPLE.test"), ("POST", "Bob@example.test")] {
        let bob = app.login("bob@example.test", &last).await;
        let answer = app.form(method, RESET, &admin, &[("email", email)]).await;
        let password = answer.json()["data"]["password"].as_str().unwrap().to_owned();
        let whole = json!({ "email": "Bob@example.test", "password": password });
        assert_eq!(answer.whole(), (200, format!(r#"{{"status":"success","data":{whole}}}"#).as_str()));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(app.pool().settings.password_policy.check(&password, &[]).is_ok(), "{password}");
        assert!(!app.accepts(&bob.field("access_token")).await);
        assert_eq!(app.refresh("bob@example.test", &bob.field("refresh_token")).await.status, 401);
        assert_eq!(app.login("bob@example.test", &last).await.status, 401);
        assert_eq!(app.login("bob@example.test", &password).await.status, 200, "permanent, no challenge");
        last = password;
    }
}

story!(a_reset_of_nobody_is_a_404);
async fn a_reset_of_nobody_is_a_404(app: TestApp) {
    let admin = app.admin().await;
    for method in ["PATCH", "POST"] {
        let nobody = app.form(method, RESET, &admin, &[("email", "nobody@example.test")]).await;
        assert_eq!((nobody.status, nobody.text), refusal(404, "User does not exist."));
        let missing = app.form(method, RESET, &admin, &[]).await;
        assert_eq!((missing.status, missing.text), refusal(422, "email is required."));
        let no_address = app.form(method, RESET, &admin, &[("email", "ada")]).await;
        assert_eq!((no_address.status, no_address.text), refusal(422, "email must be an email address in ASCII"));
    }
}

story!(other_paths_and_methods_are_refused_in_the_same_shape);
async fn other_paths_and_methods_are_refused_in_the_same_shape(app: TestApp) {
    for path in ["/api/user/v1", "/api/user/v1/", "/api/user/v1/users", "/api/user/v1/register/more"] {
        let answer = app.get(path).await;
        assert_eq!((answer.status, answer.text), refusal(404, "Not Found"), "{path}");
    }
    for (path, wrong, allow) in [
        (REGISTER, "PUT", "POST"),
        (CHANGE, "POST", "PATCH"),
        (RESET, "GET", "PATCH, POST"),
        (RESET, "DELETE", "PATCH, POST"),
    ] {
        let answer = app.request(app.to(wrong, path)).await;
        assert_eq!((answer.status, answer.text.clone()), refusal(405, "Method Not Allowed"), "{path}");
        assert_eq!(answer.header("allow"), Some(allow));
    }
    let preflight = app.to("OPTIONS", CHANGE).header("origin", "https://shop.example");
    let preflight = app.request(preflight.header("access-control-request-method", "PATCH")).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("*")));
}

story!(switched_off_the_api_is_not_there, |config| {
    config.compat.amadis = false;
    config.compat.account = cognate::config::AccountApi::Pm415;
    config.compat.cognito = false;
});
async fn switched_off_the_api_is_not_there(app: TestApp) {
    let admin = app.admin().await;
    assert_eq!(app.amadis_register(&admin, "bob@example.test").await.status, 404);
    assert_eq!(app.form("POST", "/oauth/token", "", &[("grant_type", "client_credentials")]).await.status, 404);
}

story!(switched_off_its_clients_are_none_but_asteras_still_refresh, |config| config.compat.amadis = false);
async fn switched_off_its_clients_are_none_but_asteras_still_refresh(app: TestApp) {
    app.user("alice").await;
    let alice = app.pool().find_user("alice").await.unwrap();
    let (id, secret) = (app.pool().public_id(&alice), app.pool().replace_client_secret("alice").await.unwrap().text);
    let own = [("grant_type", "client_credentials"), ("client_id", &*id.to_string()), ("client_secret", &*secret)];
    let refused = r#"{"error":"invalid_client","error_description":"Client authentication failed."}"#;
    assert_eq!(app.form("POST", "/oauth/token", "", &own).await.whole(), (400, refused));
    let body = json!({ "user": "alice", "password": PASSWORD, "rememberMe": true });
    let token = app.post("/api/account/login", body).await.field("refresh_token");
    let client = app.api.pools.surface(cognate::pool::Surface::Astera).unwrap().1.id;
    let form = [("grant_type", "refresh_token"), ("client_id", &*client), ("refresh_token", &*token)];
    assert_eq!(app.form("POST", "/oauth/token", "", &form).await.status, 200);
}

#[tokio::test]
async fn without_the_token_store_the_answer_is_a_503_in_the_same_shape() {
    let mut redis = Server::start(&[]);
    let url = redis.url();
    let app = TestApp::start_with(|config| config.tokens.url = Secret::new(url)).await;
    let admin = app.admin().await;
    redis.kill();
    for answer in [
        app.amadis_register(&admin, "bob@example.test").await,
        app.form("PATCH", RESET, &admin, &[("email", "bob@example.test")]).await,
        app.amadis_change(&admin, "bob@example.test", PASSWORD, OTHER).await,
    ] {
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!((answer.status, answer.text), refusal(503, "Service is temporarily unavailable, please try again."));
    }
}
