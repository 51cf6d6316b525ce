//! Access keys of the Cognito API on the command line.

use serde_json::json;

use super::place::Place;

#[tokio::test]
async fn an_access_key_is_made_with_a_secret_that_is_shown_once_and_disabled_for_good() {
    let place = Place::new();
    assert_eq!(place.run("access-keys list --json").json(), json!([]));
    let made = place.run("access-keys create --name backend --operations Admin*,ListUsers --json").json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(id.starts_with("CGNA") && id.len() == 20 && secret.len() == 40, "{made}");
    let pool = place.opened().await.pools.first().unwrap().id().to_owned();
    let listed = place.run("access-keys list --json").json();
    let wanted = json!([{
        "id": id, "name": "backend", "pools": [pool], "operations": ["Admin*", "ListUsers"], "enabled": true,
        "created_at": made["created_at"],
    }]);
    assert_eq!(listed, wanted);
    assert!(!place.run("access-keys list").fine().contains(secret));
    let said = format!("Access key {id} (backend) is disabled.\n");
    assert_eq!(place.run(&format!("access-keys disable {id}")).fine(), said);
    assert_eq!(place.run(&format!("access-keys disable {id}")).fine(), said);
    assert_eq!(place.run("access-keys list --json").json()[0]["enabled"], false);
    let opened = place.opened().await;
    assert!(opened.pools.signing_key(id).await.unwrap().is_none());
    // What is kept of the secret is sealed.
    for file in std::fs::read_dir(place.path("cognate-data")).unwrap() {
        let path = file.unwrap().path();
        let bytes = if path.is_file() { std::fs::read(path).unwrap() } else { Vec::new() };
        assert!(!bytes.windows(secret.len()).any(|some| some == secret.as_bytes()));
    }
}

#[test]
fn a_slip_of_the_pen_makes_no_access_key() {
    let place = Place::new();
    let wrong = place.run("access-keys create --name x --operations AdminGetUsr");
    assert!(wrong.code == 2 && wrong.err.contains("Cognito has no such operation"), "{}", wrong.err);
    let said = "User pool does not exist. `cognate pools list` shows those there are.";
    assert_eq!(place.run("access-keys create --name x --pool us-east-1_000000000").failed(), said);
    let said = "Access key does not exist. `cognate access-keys list` shows those there are.";
    assert_eq!(place.run("access-keys disable CGNAAAAAAAAAAAAAAAAA").failed(), said);
    assert_eq!(place.run("access-keys list --json").json(), json!([]));
}
