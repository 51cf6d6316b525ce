//! Mail: what stands in it, that it arrives, and what becomes of it when the mail server is down, slow or says no.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use cognate::config;
use cognate::outbound::mail::{Mail, Mailer, Templates, Undelivered};

use crate::servers::smtp::{Manner, Received, Security, SmtpServer, certificate};

const TEN_MINUTES: Duration = Duration::from_secs(600);

fn settings(url: &str) -> config::Mail {
    config::Mail {
        url: config::Secret::new(url),
        from: "Acme <no-reply@acme.example>".to_owned(),
        product: "Acme".to_owned(),
        reset_url: Some("https://acme.example/reset".parse().unwrap()),
        timeout: config::Period::seconds(20),
        ..config::Mail::default()
    }
}

fn mailer(settings: &config::Mail) -> Mailer {
    Mailer::open(settings, Path::new("/nonexistent")).unwrap()
}

fn to_server(server: &SmtpServer) -> config::Mail {
    settings(&format!("smtp://127.0.0.1:{}", server.port))
}

fn a_mail() -> Mail {
    let templates = Templates::load(&settings("file")).unwrap();
    templates.reset_code("ann@example.com", "Änn", "123456", TEN_MINUTES).unwrap()
}

async fn received(mail: &Mail) -> Received {
    let server = SmtpServer::start(Manner::Accepts);
    assert!(mailer(&to_server(&server)).deliver(mail).await.unwrap().is_none());
    server.receives(1).await.remove(0)
}

/// The cause of a delivery that may be tried again.
fn later(outcome: Result<Option<std::path::PathBuf>, Undelivered>) -> String {
    match outcome {
        Err(Undelivered::Later(cause)) => cause.to_string(),
        Err(Undelivered::Never(cause)) => panic!("never: {cause}"),
        Ok(path) => panic!("delivered: {path:?}"),
    }
}

#[tokio::test]
async fn a_reset_code_arrives_as_text_and_html_with_links_from_the_settings_only() {
    // E07
    let mail = received(&a_mail()).await;
    assert_eq!(mail.from, "no-reply@acme.example");
    assert_eq!(mail.to, ["ann@example.com"]);
    assert_eq!(mail.header("Subject"), ["Your Acme reset code"]);
    assert_eq!(mail.header("From"), ["Acme <no-reply@acme.example>"]);
    assert_eq!(mail.header("Auto-Submitted"), ["auto-generated"]);
    assert!(mail.header("Message-ID").len() == 1 && mail.header("Date").len() == 1);
    for body in [&mail.text, &mail.html] {
        for part in ["Änn", "123456", "10 minutes", "Acme"] {
            assert!(body.contains(part), "{part} in {body}");
        }
    }
    assert_eq!(
        mail.text.replace("\r\n", "\n"),
        "Hello Änn,\n\nsomebody asked to reset the password of your Acme account. The code is\n\n    123456\n\n\
         It works once, for 10 minutes. Enter it with your new password at\n\n    https://acme.example/reset\n\n\
         If it was not you, do nothing: your password stays as it is.\nNever tell this code to anybody, us included."
    );
}

#[tokio::test]
async fn a_temporary_password_arrives_unchanged() {
    let templates = Templates::load(&settings("file")).unwrap();
    let password = "aB3+=_@<&>\"'{{ product }}";
    let week = Duration::from_secs(7 * 86_400);
    let mail = received(&templates.temporary_password("bob@example.com", "bob", password, week).unwrap()).await;
    assert!(mail.text.contains(&format!("\n    {password}")), "{}", mail.text);
    assert!(mail.html.contains("aB3+=_@&lt;&amp;&gt;&quot;&#x27;{{ product }}"), "{}", mail.html);
    assert!(mail.text.contains("7 days") && mail.html.contains("7 days"));
}

#[tokio::test]
async fn a_name_injects_nothing() {
    // E08
    let templates = Templates::load(&settings("file")).unwrap();
    let name = "eve\r\nBcc: victim@example.com\r\n\r\n.\r\n<script>alert(1)</script>{{ 7 * 7 }}";
    let mail = templates.reset_code("ann@example.com", name, "123456", TEN_MINUTES).unwrap();
    let mail = received(&mail).await;
    assert_eq!(mail.to, ["ann@example.com"]);
    assert!(mail.header("Bcc").is_empty() && mail.header("Subject") == ["Your Acme reset code"]);
    assert!(!mail.html.contains("<script>") && mail.html.contains("&lt;script&gt;"));
    assert!(mail.text.starts_with("Hello eve  Bcc: victim@example.com    .  <script>alert(1)</script>{{ 7 * 7 }},"));

    let subject = "Hi\r\nBcc: victim@example.com\r\n\r\nbody".to_owned();
    let mail =
        received(&Mail { to: "ann@example.com".to_owned(), subject, text: "t".to_owned(), html: "h".to_owned() }).await;
    assert!(mail.header("Bcc").is_empty());
    assert_eq!(mail.header("Subject"), ["Hi  Bcc: victim@example.com    body"]);
}

#[tokio::test]
async fn an_address_that_is_none_is_never_tried() {
    // E08
    let server = SmtpServer::start(Manner::Accepts);
    let mailer = mailer(&to_server(&server));
    for to in [
        "",
        "ann",
        "ann@example.com\r\nRCPT TO:<eve@example.com>",
        "ann@example.com, eve@example.com",
        "Ann <ann@example.com>",
    ] {
        let mut mail = a_mail();
        mail.to = to.to_owned();
        let outcome = mailer.deliver(&mail).await;
        assert!(matches!(outcome, Err(Undelivered::Never(_))), "{to:?}");
    }
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn only_a_final_no_is_final_and_no_cause_names_the_address() {
    // R31
    let server = SmtpServer::start(Manner::SaysLater);
    assert_eq!(later(mailer(&to_server(&server)).deliver(&a_mail()).await), "the mail server answered 451");
    let server = SmtpServer::start(Manner::SaysNever);
    match mailer(&to_server(&server)).deliver(&a_mail()).await {
        Err(Undelivered::Never(cause)) => assert_eq!(cause.to_string(), "the mail server answered 550"),
        other => panic!("{other:?}"),
    }
    let nobody = settings(&format!("smtp://127.0.0.1:{}", server.port));
    drop(server);
    assert!(later(mailer(&nobody).deliver(&a_mail()).await).contains("refused"));
}

#[tokio::test]
async fn a_server_that_hangs_costs_no_more_than_the_timeout_and_its_late_answer_belongs_to_nobody() {
    // R31
    let server = SmtpServer::start(Manner::Hangs);
    let slow = mailer(&config::Mail { timeout: config::Period::milliseconds(700), ..to_server(&server) });
    let begin = Instant::now();
    for _ in 0..2 {
        assert_eq!(later(slow.deliver(&a_mail()).await), "the mail server took longer than mail.timeout");
    }
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(slow.patience() >= Duration::from_millis(700));

    let server = SmtpServer::start(Manner::HangsAtFarewell);
    assert!(mailer(&to_server(&server)).deliver(&a_mail()).await.is_ok(), "the server has the mail");
    assert_eq!(server.receives(1).await.len(), 1);
}

#[tokio::test]
async fn encryption_is_demanded_of_a_server_with_a_trusted_certificate() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    for (tls, url) in [
        ("starttls", "smtp://user:p%40ss+word@localhost:PORT?tls=required"),
        ("implicit", "smtps://user:p%40ss+word@localhost:PORT"),
    ] {
        let security = Security { tls: Some((tls, folder.path())), user: Some("user:p@ss+word") };
        let server = SmtpServer::start_on(0, Manner::Accepts, security);
        let url = url.replace("PORT", &server.port.to_string());

        let untrusting = settings(&url);
        later(mailer(&untrusting).deliver(&a_mail()).await);
        let trusting = |url: &str| config::Mail { ca_file: Some(folder.path().join("cert.pem")), ..settings(url) };
        // Our credentials are an operator's to mend, so the mail waits.
        let cause = later(mailer(&trusting(&url.replace("word", "wrong"))).deliver(&a_mail()).await);
        assert_eq!(cause, "the mail server answered 535");
        assert!(server.mails().is_empty());

        mailer(&trusting(&url)).deliver(&a_mail()).await.unwrap();
        assert_eq!(server.receives(1).await.len(), 1);
    }
    let plain = SmtpServer::start(Manner::Accepts);
    let demanding = settings(&format!("smtp://localhost:{}?tls=required", plain.port));
    assert!(later(mailer(&demanding).deliver(&a_mail()).await).contains("STARTTLS"));
    assert!(plain.mails().is_empty(), "never in the clear");
}

#[test]
fn a_setting_that_cannot_work_is_refused_without_repeating_the_password() {
    for (url, reason) in [
        ("smtp://user:hunter2@mail.example.com", "unencrypted"),
        ("smtp://user:hunter2@mail.example.com?tls=opportunistic", "unencrypted"),
        ("smtp://user:hunter2@mail.example.com?tls=maybe", "must be smtp://"),
        ("smtp://user:hunter2@:bad", "must be smtp://"),
        ("smtps://user:%FFhunter2@mail.example.com", "must be smtp://"),
        ("imap://user:hunter2@mail.example.com", "must be smtp://"),
    ] {
        let fault = Mailer::open(&settings(url), Path::new("/nonexistent")).unwrap_err();
        assert!(fault.contains(reason) && !fault.contains("hunter2"), "{url}: {fault}");
    }
    for url in ["smtp://mail.example.com", "smtps://user:p@[::1]", "smtp://user:p@localhost:25"] {
        assert!(Mailer::open(&settings(url), Path::new("/nonexistent")).is_ok(), "{url}");
    }
    let sender = config::Mail { from: "Acme no-reply".to_owned(), ..settings("smtp://mail.example.com") };
    assert!(Mailer::open(&sender, Path::new("/nonexistent")).unwrap_err().starts_with("mail.from"));
    let authority = config::Mail { ca_file: Some("/nonexistent".into()), ..settings("smtps://mail.example.com") };
    assert!(Mailer::open(&authority, Path::new("/nonexistent")).unwrap_err().starts_with("mail.ca_file"));
}

#[tokio::test]
async fn without_a_server_mails_land_in_a_folder_that_only_the_owner_reads() {
    let data = tempfile::tempdir().unwrap();
    let mailer = Mailer::open(&settings("file"), data.path()).unwrap();
    let path = mailer.deliver(&a_mail()).await.unwrap().unwrap();
    assert_eq!(path.parent().unwrap(), data.path().join("mail"));
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
    let content = std::fs::read_to_string(&path).unwrap();
    assert!(content.contains("To: ann@example.com\r\n") && content.contains("123456"));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn an_operators_template_replaces_the_built_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let own = config::Mail { templates: Some(folder.path().to_owned()), ..settings("file") };
    std::fs::write(folder.path().join("reset_code.subject"), "{{ code }}\r\nfür {{ username }}\n").unwrap();
    std::fs::write(folder.path().join("reset_code.html"), "<b>{{ username }}</b>").unwrap();
    let mail = Templates::load(&own).unwrap().reset_code("a@example.com", "a<b>", "123456", TEN_MINUTES).unwrap();
    assert_eq!((mail.subject.as_str(), mail.html.as_str()), ("123456  für a<b>", "<b>a&lt;b&gt;</b>"));
    assert!(mail.text.contains("Hello a<b>,"), "the text is the built-in one");
}

#[test]
fn a_template_that_cannot_work_is_refused_at_the_start() {
    for (name, source, reason) in [
        ("reset_code.txt", "{{ cod }}", "undefined"),
        ("reset_code.txt", "{% if %}", "syntax error"),
        ("reset_code.html", "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", "fuel"),
        ("reset.txt", "fine but never asked for", "is no template's name"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), source).unwrap();
        let own = config::Mail { templates: Some(folder.path().to_owned()), ..settings("file") };
        let fault = Templates::load(&own).unwrap_err();
        assert!(fault.contains(name) && fault.contains(reason), "{fault}");
    }
    let missing = config::Mail { templates: Some("/nonexistent".into()), ..settings("file") };
    assert!(Templates::load(&missing).is_err());
}
