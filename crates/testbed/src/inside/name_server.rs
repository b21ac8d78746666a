//! Answers for names that no hosts file can list, a bucket's for one.

use std::sync::Arc;

use shipspec_testbed::ports;
use tokio::net::UdpSocket;

use super::Fatal;

/// Answers questions until the program ends.
pub(crate) async fn serve() -> Result<(), Fatal> {
    let socket = Arc::new(UdpSocket::bind(("127.0.0.1", ports::NAMES)).await?);
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, asker)) = socket.recv_from(&mut buffer).await {
            if let Some(answer) = answer(&buffer[..length]) {
                // Who asked asks again.
                let _sent = socket.send_to(&answer, asker).await;
            }
        }
    });
    Ok(())
}

const HEADER: usize = 12;
const TYPE_A: u16 = 1;

/// Answers one question: AWS names are this machine, and there is nobody else.
fn answer(question: &[u8]) -> Option<Vec<u8>> {
    let (name, end) = name_at(question, HEADER)?;
    let kind = u16::from_be_bytes(question.get(end..end + 2)?.try_into().ok()?);
    let known = name.ends_with(".amazonaws.com") || name == "public.ecr.aws";
    let found = known && kind == TYPE_A;

    let mut answer = question.get(..end + 4)?.to_vec();
    // A response, recursion as asked, code 0 or 3 (no such name).
    answer[2] = 0x80 | (question[2] & 0x01);
    answer[3] = if known { 0x80 } else { 0x83 };
    answer[4..HEADER].copy_from_slice(&[0, 1, 0, u8::from(found), 0, 0, 0, 0]);
    if found {
        // The name at offset 12, type A, class IN, one minute, four bytes.
        answer.extend_from_slice(&[0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}

/// The name that begins here, in lower case, and where it ends. Questions do not compress names.
fn name_at(message: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut name = String::new();
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            return Some((name, at));
        }
        let label = std::str::from_utf8(message.get(at..at + length)?).ok()?;
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&label.to_ascii_lowercase());
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &str, kind: u8) -> Vec<u8> {
        let mut message = vec![7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
        for label in name.split('.') {
            message.push(u8::try_from(label.len()).expect("a short label"));
            message.extend_from_slice(label.as_bytes());
        }
        message.extend_from_slice(&[0, 0, kind, 0, 1]);
        message
    }

    #[test]
    fn aws_names_are_this_machine() {
        let reply = answer(&question("Bucket.s3.us-east-1.amazonaws.com", 1)).expect("an answer");
        assert_eq!(reply[..4], [7, 7, 0x81, 0x80]);
        assert!(reply.ends_with(&[127, 0, 0, 1]));
    }

    #[test]
    fn aws_names_have_no_other_records_and_other_names_do_not_exist() {
        let reply = answer(&question("ssm.us-east-1.amazonaws.com", 28)).expect("an answer");
        assert_eq!((reply[3], reply[7]), (0x80, 0));
        let reply = answer(&question("example.org", 1)).expect("an answer");
        assert_eq!((reply[3], reply[7]), (0x83, 0));
        assert_eq!(answer(&[0; 5]), None);
    }
}
