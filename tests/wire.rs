//! The wire: what bodies are read, what their fields may be, which paths there are, and what browsers are told.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::app::{PASSWORD, TestApp, story};

const NOT_FOUND: (u16, &str) = (404, r#"{"status":404,"message":"Not Found"}"#);

/// A field with the least and most characters it has; 0 where only the body's limit counts.
type Field = (&'static str, usize, usize);

/// Every operation with its fields.
const OPERATIONS: [(&str, &[Field]); 7] = [
    ("/v1/login", &[("username", 1, 255), ("password", 1, 255)]),
    ("/v1/token-refresh", &[("username", 1, 255), ("refresh_token", 1, 0)]),
    ("/v1/token-revoke", &[("refresh_token", 1, 0)]),
    ("/v1/forgot-password", &[("username", 1, 255)]),
    ("/v1/forgot-password-confirm", &[("username", 1, 255), ("password", 1, 255), ("confirmation_code", 1, 2048)]),
    ("/v1/change-password", &[("access_token", 1, 0), ("previous_password", 6, 256), ("proposed_password", 6, 256)]),
    ("/v1/new-password-required", &[("username", 1, 255), ("session", 1, 0), ("new_password", 6, 255)]),
];

fn refusal(status: u16, message: &str) -> (u16, String) {
    (status, format!(r#"{{"status":{status},"message":"{message}"}}"#))
}

fn fields(of: &[Field]) -> Value {
    Value::Object(of.iter().map(|(name, _, _)| ((*name).to_owned(), json!("some value"))).collect())
}

/// What the service answers to these bytes.
async fn raw(app: &TestApp, bytes: &[u8]) -> String {
    let mut stream = tokio::net::TcpStream::connect(app.config.http.listen).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

story!(json_forms_and_multipart_say_the_same);
async fn json_forms_and_multipart_say_the_same(app: TestApp) {
    let session = app.signed_in("alice").await;
    let fields = [("username", "alice"), ("refresh_token", &session.field("refresh_token"))];
    let request = || app.to("POST", "/v1/token-refresh");
    let multipart = fields.iter().fold(reqwest::multipart::Form::new(), |form, (name, value)| {
        form.text((*name).to_owned(), (*value).to_owned())
    });
    let json: Value = fields.iter().copied().collect::<std::collections::BTreeMap<_, _>>().into_iter().collect();
    for request in [
        request().form(&fields),
        request().multipart(multipart),
        request().json(&json),
        request().header("content-type", "application/json; charset=utf-8").body(json.to_string()),
        request().header("content-type", "APPLICATION/JSON").body(format!("  {json}\r\n")),
    ] {
        let answer = app.request(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    }
}

story!(every_field_must_be_there_and_within_its_limits);
async fn every_field_must_be_there_and_within_its_limits(app: TestApp) {
    for (path, all) in OPERATIONS {
        for (name, least, most) in all {
            let with = async |value: Value| {
                let mut body = fields(all);
                body[name] = value;
                let answer = app.post(path, body).await;
                (answer.status, answer.text)
            };
            let mut absent = fields(all);
            absent.as_object_mut().unwrap().remove(*name);
            let absent = app.post(path, absent).await;
            assert_eq!((absent.status, absent.text), refusal(422, &format!("{name} is required.")), "{path}");
            assert_eq!(with(Value::Null).await, refusal(422, &format!("{name} is required.")), "{path}");
            assert_eq!(with(json!("")).await, refusal(422, &format!("{name} must not be empty.")), "{path}");
            if *least > 1 {
                let message = format!("{name} must have at least {least} characters.");
                assert_eq!(with(json!("é".repeat(least - 1))).await, refusal(422, &message), "{path}");
            }
            if *most > 0 {
                let message = format!("{name} must have at most {most} characters.");
                assert_eq!(with(json!("é".repeat(most + 1))).await, refusal(422, &message), "{path}");
                assert_ne!(with(json!("é".repeat(*most))).await.0, 422, "{path} {name}");
            }
        }
    }
}

// D10
story!(a_field_of_another_type_is_named, |config| config.limits.account_failures = 1_000);
async fn a_field_of_another_type_is_named(app: TestApp) {
    for (path, all) in OPERATIONS {
        for (name, _, _) in all {
            for value in [json!(1), json!(1.5), json!(true), json!([]), json!(["x"]), json!({ "$ne": "" }), json!({})] {
                let mut body = fields(all);
                body[name] = value.clone();
                let answer = app.post(path, body).await;
                let expected = refusal(422, &format!("{name} must be a string."));
                assert_eq!((answer.status, answer.text), expected, "{path} {value}");
            }
            for value in ["\0", "a\0b", "\u{feff}", "\u{ffff}", "' OR 1=1 --", "*)(uid=*", "{{7*7}}", "\r\nX: y"] {
                let mut body = fields(all);
                body[name] = json!(value);
                let answer = app.post(path, body).await;
                assert!([204, 401, 422].contains(&answer.status), "{path} {name} {value:?}: {}", answer.text);
            }
        }
    }
}

// D10, H04
story!(what_is_no_object_of_fields_is_refused);
async fn what_is_no_object_of_fields_is_refused(app: TestApp) {
    app.user("alice").await;
    let not_json = refusal(422, "The body is not valid JSON.");
    let no_object = refusal(422, "The body must be an object of JSON fields.");
    let send = async |body: &[u8]| {
        let request = app.to("POST", "/v1/login").header("content-type", "application/json");
        let answer = app.request(request.body(body.to_vec())).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        (answer.status, answer.text)
    };
    let in_order = format!(r#"["alice","{PASSWORD}"]"#);
    for body in ["null", "true", "1", "\"alice\"", "[]", "[{}]", &in_order] {
        assert_eq!(send(body.as_bytes()).await, no_object, "{body}");
    }
    let deep = format!(r#"{{"username":{}"#, "[".repeat(30_000));
    for body in
        ["", " ", "nope", "{", "{]", r#"{"username":"alice""#, r#"{"username":"\ud800"}"#, "{} {}", "{}x", &deep]
    {
        let (status, text) = send(body.as_bytes()).await;
        let named = refusal(422, "username must be a string.");
        assert!((status, text.clone()) == not_json || (status, text.clone()) == named, "{status} {text}");
    }
    assert_eq!(send(b"{\"username\":\"\xff\",\"password\":\"x\"}").await, not_json);
    assert_eq!(send(b"\xef\xbb\xbf{}").await, not_json);
}

// D14
story!(a_field_given_twice_is_refused);
async fn a_field_given_twice_is_refused(app: TestApp) {
    app.user("alice").await;
    let twice = refusal(422, "username must not be given twice.");
    let request = || app.to("POST", "/v1/login");
    let json = format!(r#"{{"username":"alice","username":"bob","password":"{PASSWORD}"}}"#);
    let multipart = reqwest::multipart::Form::new().text("username", "alice").text("username", "bob");
    for request in [
        request().header("content-type", "application/json").body(json),
        request().form(&[("username", "alice"), ("username", "bob"), ("password", PASSWORD)]),
        request().multipart(multipart.text("password", PASSWORD)),
    ] {
        let answer = app.request(request).await;
        assert_eq!((answer.status, answer.text), twice);
    }
}

// D16
story!(other_content_types_and_encodings_are_refused);
async fn other_content_types_and_encodings_are_refused(app: TestApp) {
    app.user("alice").await;
    let body = json!({ "username": "alice", "password": PASSWORD }).to_string();
    let words = "The content type must be application/json, application/x-www-form-urlencoded or multipart/form-data.";
    for content_type in ["text/plain", "text/json", "application/x-amz-json-1.1", "application/xml", "json", ""] {
        let request = app.to("POST", "/v1/login").header("content-type", content_type).body(body.clone());
        let answer = app.request(request).await;
        assert_eq!((answer.status, answer.text), refusal(422, words), "{content_type}");
    }
    let none = app.request(app.to("POST", "/v1/login")).await;
    assert_eq!((none.status, none.text), refusal(422, words));
    let packed = app.to("POST", "/v1/login").header("content-type", "application/json");
    let packed = app.request(packed.header("content-encoding", "gzip").body(body)).await;
    assert_eq!((packed.status, packed.text), refusal(422, words));
    let broken = app.to("POST", "/v1/login").header("content-type", "multipart/form-data; boundary=x").body("--y");
    let broken = app.request(broken).await;
    assert_eq!((broken.status, broken.text), refusal(422, "The body is not valid multipart form data."));
}

// D15
story!(the_query_string_is_never_read);
async fn the_query_string_is_never_read(app: TestApp) {
    app.user("alice").await;
    let path = "/v1/login?username=alice&password=correct%20horse%20battery";
    let required = refusal(422, "username is required.");
    for request in [app.to("POST", path).json(&json!({})), app.to("POST", path).form::<[(&str, &str); 0]>(&[])] {
        let answer = app.request(request).await;
        assert_eq!((answer.status, answer.text), required);
    }
    let answer = app.request(app.to("POST", path)).await;
    assert_eq!(answer.status, 422);
    assert_eq!(app.get(path).await.whole(), NOT_FOUND);
    // Nor does it stand against what the body says.
    let answer = app.post("/v1/login?username=bob", json!({ "username": "alice", "password": PASSWORD })).await;
    assert_eq!(answer.status, 200);
}

// H04, R26
story!(a_body_over_64_kib_is_refused_before_it_is_read);
async fn a_body_over_64_kib_is_refused_before_it_is_read(app: TestApp) {
    let body = |length: usize| format!(r#"{{"refresh_token":"{}"}}"#, "x".repeat(length - 20));
    let send = async |length: usize| {
        let request = app.to("POST", "/v1/token-revoke").header("content-type", "application/json");
        app.request(request.body(body(length))).await
    };
    assert_eq!(send(65_536).await.whole(), (401, r#"{"status":401,"message":"Unauthorized"}"#));
    assert_eq!(send(65_537).await.whole(), (413, r#"{"status":413,"message":"The body is too large."}"#));
    let announced = "POST /v1/token-revoke HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                     Content-Length: 1000000000\r\n\r\n";
    let answer = raw(&app, announced.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.ends_with(r#"{"status":413,"message":"The body is too large."}"#), "{answer}");
    let chunk = "x".repeat(0x8000);
    let chunked = format!(
        "POST /v1/token-revoke HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n8000\r\n{chunk}\r\n8000\r\n{chunk}\r\n1\r\nx\r\n"
    );
    let answer = raw(&app, chunked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // Nor does a path that reads no body wait for the end of one.
    let answer = raw(&app, chunked.replace("/v1/token-revoke", "/nothing").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

story!(a_body_in_pieces_is_read_and_the_connection_goes_on);
async fn a_body_in_pieces_is_read_and_the_connection_goes_on(app: TestApp) {
    let head = "POST /v1/token-revoke HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let body = "Transfer-Encoding: chunked\r\n\r\nf\r\n{\"refresh_token\r\n7\r\n\":\"no\"}\r\n0\r\n\r\n";
    let answers = raw(&app, format!("{head}{body}{head}Connection: close\r\n{body}").as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 401 Unauthorized").count(), 2, "{answers}");
    assert_eq!(answers.matches(r#"{"status":401,"message":"Unauthorized"}"#).count(), 2, "{answers}");
}

// H03
story!(a_body_that_does_not_arrive_is_not_waited_for, |config| config.http.body_timeout =
    cognate::config::Period::milliseconds(200));
async fn a_body_that_does_not_arrive_is_not_waited_for(app: TestApp) {
    let half = "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{";
    let chunked = half.replace("Content-Length: 50\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n");
    for half in [half, &chunked] {
        let answer = raw(&app, half.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.ends_with(r#"{"status":408,"message":"The body did not arrive in time."}"#), "{answer}");
        assert!(answer.to_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
    }
}

story!(an_unknown_path_or_method_is_not_found);
async fn an_unknown_path_or_method_is_not_found(app: TestApp) {
    for (method, path) in [
        ("GET", "/v1/login"),
        ("PUT", "/v1/login"),
        ("DELETE", "/v1/login"),
        ("PATCH", "/v1/token-refresh"),
        ("OPTIONS", "/v1/login"),
        ("TRACE", "/v1/login"),
        ("POST", "/v1/status"),
        ("POST", "/v1/nothing"),
        ("POST", "/v1"),
        ("GET", "/v1/"),
        ("POST", "/V1/login"),
        ("POST", "/v1//login"),
        ("POST", "/v1/login/x"),
        ("POST", "/v1/%6cogin/x"),
        ("GET", "/"),
        ("GET", "/nothing"),
        ("GET", "/../etc/passwd"),
    ] {
        let answer = app.request(app.to(method, path)).await;
        assert_eq!(answer.whole(), NOT_FOUND, "{method} {path}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{method} {path}");
    }
}

story!(a_slash_too_many_leads_to_the_path_without_it);
async fn a_slash_too_many_leads_to_the_path_without_it(app: TestApp) {
    for (method, path) in [("POST", "/v1/login/"), ("GET", "/v1/status/"), ("POST", "/v1/token-refresh/?x=y")] {
        let answer = app.request(app.to(method, path)).await;
        assert_eq!(answer.whole(), (307, ""), "{path}");
        assert_eq!(answer.header("location"), Some(path.trim_end_matches("?x=y").trim_end_matches('/')));
    }
}

story!(the_status_is_an_empty_200);
async fn the_status_is_an_empty_200(app: TestApp) {
    assert_eq!(app.get("/v1/status").await.whole(), (200, ""));
}

async fn preflight(app: &TestApp, path: &str, origin: &str) -> crate::app::Answer {
    let request = app.to("OPTIONS", path).header("Origin", origin).header("Access-Control-Request-Method", "POST");
    app.request(request.header("Access-Control-Request-Headers", "content-type,x-amz-user-agent")).await
}

// H06
story!(browsers_are_told_that_any_page_may_call);
async fn browsers_are_told_that_any_page_may_call(app: TestApp) {
    for path in ["/v1/login", "/v1/token-refresh", "/v1/status", "/v1/nothing"] {
        let answer = preflight(&app, path, "https://app.test").await;
        assert_eq!(answer.whole(), (204, ""), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("access-control-max-age"), Some("86400"));
        let listed = |name| answer.header(name).unwrap().split(", ").map(str::to_owned).collect::<BTreeSet<String>>();
        let methods = ["GET", "HEAD", "OPTIONS", "POST"].map(str::to_owned);
        assert_eq!(listed("access-control-allow-methods"), BTreeSet::from(methods));
        let headers = answer.header("access-control-allow-headers").unwrap().replace(' ', "");
        let headers: BTreeSet<&str> = headers.split(',').collect();
        assert!(headers.contains("*") || headers == BTreeSet::from(["content-type", "x-amz-user-agent"]));
    }
    let refused = app.to("POST", "/v1/login").header("Origin", "https://app.test").json(&json!({}));
    let refused = app.request(refused).await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (422, Some("*")));
}

story!(browsers_are_told_which_pages_may_call, |config| {
    config.http.allowed_origins =
        cognate::config::List(vec!["https://app.test".to_owned(), "http://localhost:3000".to_owned()]);
});
async fn browsers_are_told_which_pages_may_call(app: TestApp) {
    for origin in ["https://app.test", "http://localhost:3000"] {
        let answer = preflight(&app, "/v1/login", origin).await;
        assert_eq!(answer.whole(), (204, ""));
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert!(answer.header("vary").unwrap().to_lowercase().contains("origin"));
    }
    for origin in
        ["https://evil.test", "http://app.test", "https://app.test:8443", "https://app.test.evil.test", "null"]
    {
        let answer = preflight(&app, "/v1/login", origin).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        let words = r#"{"status":400,"message":"This origin or method may not call from a browser."}"#;
        assert_eq!(answer.whole(), (400, words), "{origin}");
        let call = app.to("POST", "/v1/login").header("Origin", origin).json(&json!({}));
        assert_eq!(app.request(call).await.header("access-control-allow-origin"), None);
    }
    let words = "This origin or method may not call from a browser.";
    let pm415 = format!(r#"{{"statusCode":400,"error":"Bad Request","message":"{words}","success":false}}"#);
    for (path, body) in [
        ("/api/account/login", pm415.clone()),
        ("/api/user", pm415),
        ("/api/user/v1/register", format!(r#"{{"status":"error","data":{{"error":"{words}"}}}}"#)),
        ("/oauth/token", format!(r#"{{"error":"invalid_request","error_description":"{words}"}}"#)),
    ] {
        assert_eq!(preflight(&app, path, "https://evil.test").await.whole(), (400, body.as_str()), "{path}");
    }
}
