//! All actions of a file with asterisk-rs-ami, their answers as JSON.
//!
//! Usage: asterisk-rs-peer PORT USER SECRET-FILE ACTIONS JSON

use std::{error::Error, fs};

use asterisk_rs_ami::{AmiClient, action::AmiAction};
use serde_json::{Value, json};

struct Asked(Vec<(String, String)>);

impl AmiAction for Asked {
    fn action_name(&self) -> &str {
        &self.0[0].1
    }
    fn to_headers(&self) -> Vec<(String, String)> {
        self.0[1..].iter().filter(|(key, _)| key != "ActionID").cloned().collect()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, port, user, secret, actions, target] = arguments.as_slice() else {
        return Err("usage: asterisk-rs-peer PORT USER SECRET-FILE ACTIONS JSON".into());
    };
    let client = AmiClient::builder()
        .host("127.0.0.1")
        .port(port.parse()?)
        .credentials(user, fs::read_to_string(secret)?.trim())
        .build()
        .await?;
    let text = fs::read_to_string(actions)?;
    let mut answers: Vec<Value> = Vec::new();
    for block in text.split("\r\n\r\n").filter(|block| !block.trim().is_empty()) {
        let headers = block.lines().filter_map(|line| line.split_once(": "));
        let asked = Asked(headers.map(|(key, value)| (key.to_owned(), value.to_owned())).collect());
        if asked.action_name() == "Logoff" {
            continue;
        }
        // It has no way to send several at once and keep what came of each.
        match list(asked.action_name()) {
            true => match client.send_collecting(&asked).await {
                Ok(answer) => answers.push(json!(
                    answer.events.iter().map(|event| json!(event)).collect::<Vec<_>>()
                )),
                Err(error) => answers.push(json!(error.to_string())),
            },
            false => match client.send_action(&asked).await {
                Ok(answer) => answers.push(json!(answer.headers)),
                Err(error) => answers.push(json!(error.to_string())),
            },
        }
    }
    fs::write(target, serde_json::to_vec(&answers)?)?;
    client.disconnect().await?;
    Ok(())
}

/// Whether an action's answer is a list.
fn list(action: &str) -> bool {
    !matches!(
        action,
        "Ping" | "CoreSettings" | "CoreStatus" | "ListCommands" | "Getvar" | "DBGet" | "MailboxCount"
    )
}
