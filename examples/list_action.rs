//! Asks a PBX one read action and prints its rows:
//! `AMI_SECRET=... cargo run --example list_action -- 127.0.0.1:5038 snapshot QueueStatus`
#![expect(clippy::print_stdout, reason = "an example")]

use std::{env, error::Error};

use freepbx_snapshot::ami::{Client, Credentials, Options, Password, ReadAction};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, user, action] = arguments.as_slice() else {
        return Err("expected HOST:PORT USER ACTION".into());
    };
    let login = Credentials::new(user, Password::new(env::var("AMI_SECRET")?));
    for row in rows(address, &login, action).await? {
        println!("{row}");
    }
    Ok(())
}

type Rows = Result<Vec<String>, Box<dyn Error>>;

pub(crate) async fn rows(addr: &str, login: &Credentials, name: &str) -> Rows {
    let action = ReadAction::named(name)?;
    let (host, port) = addr.rsplit_once(':').ok_or("expected HOST:PORT")?;
    let mut client = Client::connect(host, port.parse()?, Options::default()).await?;
    client.login(login, [action.into()]).await?;
    let mut rows = Vec::new();
    while let Some(finished) = client.next_finished().await? {
        for row in finished.result?.rows() {
            let headers = row.headers().map(|(key, value)| format!("{key}={value}"));
            rows.push(headers.collect::<Vec<_>>().join(" "));
        }
    }
    client.logoff().await;
    Ok(rows)
}
