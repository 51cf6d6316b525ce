//! Keys, clients and pools: what a command changes, a running service does soon after.

use serde_json::{Value, json};

use super::place::{PASSWORD, Place, eventually, word_after};

fn kids(keys: &Value, name: &str) -> Vec<String> {
    keys.as_array().unwrap().iter().map(|key| key[name].as_str().unwrap().to_owned()).collect()
}

/// Asks again until the answer fits.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    for _ in 0..400 {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("waited in vain: {what}")
}

#[tokio::test]
async fn a_rotated_key_is_published_first_and_an_emergency_takes_all_others_away() {
    let place = Place::new();
    let service = place.serve();
    place.user("alice");
    let pool = place.run("pools show --json").json()["id"].as_str().unwrap().to_owned();
    let (_, tokens) = service.login("alice", PASSWORD).await;

    let said = place.run("keys rotate").fine();
    let listed = place.run("keys list --json").json();
    assert_eq!(kids(&listed, "state"), ["active", "published"]);
    assert!(said.contains(listed[1]["kid"].as_str().unwrap()) && said.contains("No token is refused."));
    let published = async |count: usize| {
        until("the key set", async || {
            let jwks = service.get(&format!("/{pool}/.well-known/jwks.json")).await;
            Some(jwks["keys"].clone()).filter(|keys| keys.as_array().unwrap().len() == count)
        })
        .await
    };
    assert!(kids(&published(2).await, "kid").contains(&listed[1]["kid"].as_str().unwrap().to_owned()));

    place.run(&format!("keys rotate --emergency --pool {pool}")).fine();
    let listed = place.run("keys list --json").json();
    assert_eq!(kids(&published(1).await, "kid"), kids(&listed, "kid"));
    let change = json!({
        "access_token": tokens["access_token"], "previous_password": PASSWORD, "proposed_password": "a new horse battery"
    });
    assert_eq!(service.post("change-password", change).await.0, 401);
    let refresh = json!({ "username": "alice", "refresh_token": tokens["refresh_token"] });
    assert_eq!(service.post("token-refresh", refresh).await.0, 200);
    assert!(place.run("keys rotate --pool us-east-1_nothing00").failed().starts_with("User pool does not exist."));
}

#[tokio::test]
async fn a_client_is_made_changed_and_spoken_for_by_v1() {
    let mut place = Place::new();
    let made = ["clients", "create", "--name", "web shop", "--access-token", "1h", "--id-token", "1h"];
    let made = [&made[..], &["--refresh-token", "30d", "--rotation-grace", "10s", "--json"]].concat();
    let made = place.run_with(&made, "").json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        (made["access_token_seconds"].as_u64(), made["refresh_token_seconds"].as_u64()),
        (Some(3600), Some(2_592_000))
    );
    assert_eq!(made["rotation_grace_seconds"], 10);
    place.set("COGNATE__V1__CLIENT", id);
    place.user("alice");
    let service = place.serve();
    let (_, tokens) = service.login("alice", PASSWORD).await;
    assert_eq!(tokens["expires_in"], 3600);
    let refresh = json!({ "username": "alice", "refresh_token": tokens["refresh_token"] });
    assert!(service.post("token-refresh", refresh).await.1["refresh_token"].is_string(), "it rotates");

    let changed = place.run(&format!("clients update {id} --no-rotation --access-token 30m")).fine();
    assert!(changed.contains("access token   30m\n") && changed.contains("rotation       off\n"), "{changed}");
    assert!(changed.contains("name           web shop\n"), "what is not named stays");
    until("shorter tokens", async || (service.login("alice", PASSWORD).await.1["expires_in"] == 1800).then_some(()))
        .await;
    let refused = place.run(&format!("clients update {id} --access-token 8d")).failed();
    assert_eq!(refused, "access token life must be 300 to 604800 seconds");
    assert_eq!(place.run(&format!("clients update {id} --access-token 1500ms")).code, 2);
    assert!(place.run(&format!("clients delete {id} --yes")).failed().starts_with("/v1 speaks for this client"));
    let first = place.run("clients list --json").json();
    let first = first.as_array().unwrap().iter().find(|client| client["name"] == "default").unwrap();
    place.run(&format!("clients delete {} --yes", first["id"].as_str().unwrap())).fine();
    assert!(place.run("clients show nothing").failed().starts_with("App client does not exist."));
}

#[tokio::test]
async fn a_pool_takes_other_rules_while_it_runs() {
    let place = Place::new();
    let service = place.serve();
    let shown = place.run(
        "pools update --algorithm EdDSA --password-policy cognito --password-length 10 \
                           --password-needs uppercase,numbers --hide-user-existence off --temporary-password-life 2d",
    );
    let shown = shown.fine();
    assert!(shown.contains("cognito: at least 10 characters; needs uppercase, numbers\n"), "{shown}");
    assert!(shown.contains("temporary password life          2d\n"), "{shown}");
    assert!(shown.contains("password history                 none\n"), "{shown}");
    let shown = place.run("pools update --password-history 5").fine();
    assert!(shown.contains("password history                 the last 5 may not come again\n"), "{shown}");
    assert_eq!(place.run("pools show --json").json()["password_history"], 5);
    let weak = place.run_with(&["users", "create", "alice", "--password-stdin"], "lowercase only 1\n").failed();
    assert_eq!(weak, "Password does not conform to policy: Password must have uppercase characters");
    let (status, _) = until("existence is shown", async || {
        Some(service.post("forgot-password", json!({ "username": "nobody" })).await)
            .filter(|(status, _)| *status >= 400)
    })
    .await;
    assert!(status < 500);
    let keys = place.run("keys list --json").json();
    assert_eq!(kids(&keys, "algorithm"), ["RS256", "EdDSA"]);
    assert_eq!(kids(&keys, "state"), ["active", "published"]);

    for (wrong, words) in [
        ("--password-length 5", "least password length must be 6 to 99"),
        ("--password-history 25", "password history must be 0 to 24"),
        ("--reset-code-life 2d", "reset code life must be 1m to 1d"),
        ("--password-policy nist --password-needs numbers", "--password-needs belongs to the cognito rules"),
    ] {
        let refused = place.run(&format!("pools update {wrong}")).failed();
        assert!(refused.starts_with(words), "{refused}");
    }
    assert_eq!(place.run("pools update --algorithm HS256").code, 2);
}

#[test]
fn only_serve_makes_the_administrator() {
    let place = Place::new();
    assert_eq!(place.run("users list --json").json(), json!([]));
    let service = place.serve();
    let said = eventually("the greeting", || Some(service.said()).filter(|said| said.contains("-d '{")));
    assert!(word_after(&said, "(shown only now): ").is_some());
    assert_eq!(place.run("users list --json").json()[0]["username"], "admin");
}

#[tokio::test]
async fn a_master_key_is_changed_beside_a_running_service_and_reseal_says_when_the_old_one_may_go() {
    let place = Place::new();
    let service = place.serve();
    place.user("alice");
    let (_, tokens) = service.login("alice", PASSWORD).await;
    let old = std::fs::read_to_string(place.path("cognate-data/master.key")).unwrap();
    let first = word_after(&place.run("keys reseal").fine(), "Master key ").unwrap().trim_end_matches(',').to_owned();

    let key = "ZmVkY2JhMDk4NzY1NDMyMWZlZGNiYTA5ODc2NTQzMjE=";
    place.write("cognate-data/master.key", &format!("{old}{key}\n"));
    assert!(place.run("keys reseal").fine().contains(&format!("Master key {first},")), "the second does not seal");
    place.write("cognate-data/master.key", &format!("{key}\n{old}"));
    let second = until("everything under the new key", async || {
        let said = place.run("keys reseal");
        // Until the service has read its file it may seal one back.
        (said.code == 0).then(|| word_after(&said.out, "Master key ").unwrap().trim_end_matches(',').to_owned())
    })
    .await;
    assert_ne!(first, second);
    let said = place.run("keys reseal").fine();
    let whole = format!(
        "Master key {second}, the first in ./cognate-data/master.key, seals the root secret and all signing keys (1). The \
         others may go once every running service has this one first.\n"
    );
    assert_eq!(said, whole);
    place.write("cognate-data/master.key", key);
    place.run("check").fine();
    let refresh = json!({ "username": "alice", "refresh_token": tokens["refresh_token"] });
    assert_eq!(service.post("token-refresh", refresh).await.0, 200);
    assert_eq!(place.serve().login("alice", PASSWORD).await.0, 200, "one that starts knows the new key alone");
}
