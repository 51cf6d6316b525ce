//! Users and groups, made and changed by commands while the service runs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::place::{PASSWORD, Place, eventually, word_after};

fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_user_made_beside_the_service_signs_in_until_he_is_disabled() {
    let place = Place::new();
    let service = place.serve();
    place.user("alice");
    let (status, tokens) = service.login("alice", PASSWORD).await;
    assert_eq!(status, 200);
    let shown = place.run("users show alice --json").json();
    assert_eq!(shown["sessions"].as_array().unwrap().len(), 1);
    assert_eq!((shown["email"].as_str(), shown["email_verified"].as_bool()), (Some("alice@example.test"), Some(true)));
    assert_eq!(shown["sub"], claims(&tokens["access_token"])["sub"]);

    assert_eq!(place.run("users disable alice").fine(), "alice is disabled, and every session is over.\n");
    assert_eq!(service.login("alice", PASSWORD).await.0, 401);
    let refresh = json!({ "username": "alice", "refresh_token": tokens["refresh_token"] });
    assert_eq!(service.post("token-refresh", refresh.clone()).await.0, 401);
    place.run("users enable alice").fine();
    assert_eq!(service.login("alice@example.test", PASSWORD).await.0, 200);
    assert_eq!(service.post("token-refresh", refresh).await.0, 401, "what was ended stays so");

    assert!(place.run("users delete alice").failed().ends_with("There is no terminal to ask on: say --yes"));
    place.run("users delete alice --yes").fine();
    assert_eq!(service.login("alice", PASSWORD).await.0, 401);
    assert!(place.run("users show alice").failed().starts_with("User does not exist."));
}

#[tokio::test]
async fn sessions_are_ended_by_a_command_and_by_a_new_password() {
    let place = Place::new();
    let service = place.serve();
    place.user("alice");
    let refresh = |tokens: &Value| json!({ "username": "alice", "refresh_token": tokens["refresh_token"] });
    let (_, tokens) = service.login("alice", PASSWORD).await;
    assert_eq!(service.post("token-refresh", refresh(&tokens)).await.0, 200);
    place.run("users sign-out alice").fine();
    assert_eq!(service.post("token-refresh", refresh(&tokens)).await.0, 401);

    let (_, tokens) = service.login("alice", PASSWORD).await;
    // Only the line feed is taken off: a password may end in a space.
    place.run_with(&["users", "set-password", "alice", "--password-stdin"], "another horse battery \nrest").fine();
    assert_eq!(service.post("token-refresh", refresh(&tokens)).await.0, 401);
    assert_eq!(service.login("alice", "another horse battery").await.0, 401);
    assert_eq!(service.login("alice", "another horse battery ").await.0, 200);
}

#[tokio::test]
async fn a_temporary_password_is_printed_once_and_must_be_replaced() {
    let place = Place::new();
    let service = place.serve();
    let printed = place.run("users create bob --email bob@example.test --temporary").fine();
    let temporary = word_after(&printed, "(shown only now): ").unwrap().to_owned();
    let (status, challenge) = service.login("bob", &temporary).await;
    assert_eq!((status, challenge["challenge_name"].as_str()), (200, Some("NEW_PASSWORD_REQUIRED")));
    let answer = json!({ "username": "bob", "session": challenge["session"], "new_password": PASSWORD });
    assert_eq!(service.post("new-password-required", answer).await.0, 200);
    assert_eq!(service.login("bob", PASSWORD).await.0, 200);

    let made = place.run("users create eve --temporary --json").json();
    let temporary = made["temporary_password"].as_str().unwrap();
    assert_eq!((made["username"].as_str(), made["status"].as_str()), (Some("eve"), Some("FORCE_CHANGE_PASSWORD")));
    assert_eq!(service.login("eve", temporary).await.0, 200);
}

#[tokio::test]
async fn mails_of_commands_are_sent_by_the_running_service() {
    let place = Place::new();
    let service = place.serve();
    let mailed = |number: usize| {
        let folder = place.path("cognate-data/mail");
        eventually("a mail", || {
            let mails: Vec<_> = std::fs::read_dir(&folder).ok()?.map(|mail| mail.unwrap().path()).collect();
            let whole = mails.iter().all(|mail| mail.extension().is_some_and(|ending| ending == "eml"));
            let newest = mails.iter().max_by_key(|mail| std::fs::metadata(mail).unwrap().modified().unwrap())?;
            (whole && mails.len() == number).then(|| std::fs::read_to_string(newest).unwrap())
        })
    };
    let printed = place.run("users create bob --email bob@example.test --temporary --mail").fine();
    let mail = mailed(1);
    let temporary = mail.split("with the temporary password").nth(1).unwrap().split_whitespace().next().unwrap();
    // Quoted-printable spells the one sign that it needs for itself.
    let temporary = temporary.replace("=3D", "=");
    assert!(mail.contains("To: bob@example.test") && !printed.contains(&temporary) && temporary.len() == 20);
    assert_eq!(service.login("bob", &temporary).await.1["challenge_name"], "NEW_PASSWORD_REQUIRED");

    place.user("alice");
    place.run("users reset alice").fine();
    let mail = mailed(2);
    let code = mail.split_whitespace().find(|word| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit()));
    let (status, _) = service.login("alice", PASSWORD).await;
    assert_ne!(status, 200, "a reset is owed first");
    let confirm = json!({ "username": "alice", "confirmation_code": code.unwrap(), "password": "quite another horse" });
    let (status, body) = service.post("forgot-password-confirm", confirm).await;
    assert!(status < 300, "{body}");
    assert_eq!(service.login("alice", "quite another horse").await.0, 200);

    let refused = place.run("users create eve --temporary --mail").failed();
    assert_eq!(refused, "--mail needs an address: say --email");
    assert!(place.run("users show eve").failed().starts_with("User does not exist."));
}

#[test]
fn a_password_is_never_taken_from_the_command_line() {
    let place = Place::new();
    let refused = place.run("users create alice --email alice@example.test").failed();
    assert!(refused.starts_with("there is no terminal to ask for the password on"), "{refused}");
    assert_eq!(place.run("users create alice --password secret").code, 2);
    assert!(place.run("users create alice --password-stdin").failed().contains("no password on standard input"));
    let weak = place.run_with(&["users", "create", "alice", "--password-stdin"], "password1\n").failed();
    assert_eq!(weak, "Password does not conform to policy: Password is too common");
}

#[test]
fn at_a_terminal_the_password_is_asked_for_twice_and_never_shown() {
    let place = Place::new();
    let (first, second) = ("New password for", "The same again");
    let made = [(first, "a fine horse staple\n"), (second, "a fine horse staple\n")];
    let shown = place.type_to("users create alice --email a@example.test", &made);
    assert!(shown.contains("User alice made") && !shown.contains("staple"), "{shown}");
    let differ = [(first, "a fine horse staple\n"), (second, "a fine horse stable\n")];
    let shown = place.type_to("users create bob", &differ);
    assert!(shown.contains("the two passwords differ; nothing was changed"), "{shown}");
    assert!(place.type_to("users delete alice", &[("[y/N]", "n\n")]).contains("nothing was changed"));
    assert!(place.type_to("users delete alice", &[("[y/N]", "y\n")]).contains("User alice ("));
    assert_eq!(place.run("users list --json").json(), json!([]));
}

#[tokio::test]
async fn tokens_carry_the_groups_that_commands_gave() {
    let place = Place::new();
    let service = place.serve();
    place.run("groups create editors --precedence 10").fine();
    place.run_with(&["groups", "create", "chiefs", "--precedence", "1", "--description", "they decide"], "").fine();
    let refused = place.run("groups create editors").failed();
    assert_eq!(refused, "Group already exists.");
    place.user("alice");
    place.run("groups add editors alice").fine();
    place.run("groups add chiefs alice@example.test").fine();
    assert!(place.run("groups add nobody alice").failed().starts_with("Group does not exist."));
    let (_, tokens) = service.login("alice", PASSWORD).await;
    assert_eq!(claims(&tokens["id_token"])["cognito:groups"], json!(["chiefs", "editors"]));
    place.run("groups remove chiefs alice").fine();
    place.run("groups delete editors --yes").fine();
    let (_, tokens) = service.login("alice", PASSWORD).await;
    assert_eq!(claims(&tokens["id_token"]).get("cognito:groups"), None);
    let listed = place.run("groups list --json").json();
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["chiefs", "admin"], "admin is the first administrator's");
}

#[tokio::test]
async fn a_client_secret_is_printed_once_and_the_one_before_stops_working() {
    let place = Place::new();
    place.user("alice");
    let secret = |said: &str| word_after(said, "Client secret (shown only now): ").unwrap().to_owned();
    let id = |said: &str| word_after(said, "Client id of alice: ").unwrap().to_owned();
    let (first, second) =
        (place.run("users client-secret alice").fine(), place.run("users client-secret alice").fine());
    assert_eq!(id(&first), id(&second));
    assert!(secret(&first) != secret(&second) && secret(&first).len() == 44);
    let opened = place.opened().await;
    let pool = opened.pools.first().unwrap();
    let here = [127, 0, 0, 1].into();
    assert!(pool.authenticate_credential(&id(&first), &secret(&first), here).await.is_err());
    let proven = pool.authenticate_credential(&id(&first), &secret(&second), here).await.unwrap();
    assert_eq!(proven.user().username, "alice");
    assert!(!place.run("users show alice --json").fine().contains(&secret(&second)));
    assert!(place.run("users client-secret nobody").failed().starts_with("User does not exist."));
}
