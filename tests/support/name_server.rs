//! A name server that says what a test tells it, on a thread of its own.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{MX, TXT};
use hickory_resolver::proto::rr::{RData, Record, RecordType};

/// The texts and mail exchangers of names: `TXT name` and `MX name`.
type Zone = BTreeMap<String, Vec<String>>;

/// A name server on the loopback interface. It knows nothing until it is told.
pub struct NameServer {
    pub address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

impl NameServer {
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let zone = Arc::<Mutex<Zone>>::default();
        let known = zone.clone();
        // It ends with the process.
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
                let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
                let answer = answer(question, &known.lock().unwrap());
                let _ = socket.send_to(&answer.to_vec().unwrap(), peer);
            }
        });
        Self { address, zone }
    }

    /// Gives a name this one record of its type, or takes it away.
    pub fn set(&self, kind: &str, name: &str, value: Option<&str>) {
        let mut zone = self.zone.lock().unwrap();
        let key = format!("{kind} {name}");
        match value {
            Some(value) => zone.insert(key, vec![value.to_owned()]),
            None => zone.remove(&key),
        };
    }

    /// Takes in what an operator was told to add: lines of a zone file.
    pub fn load(&self, lines: &str) {
        for line in lines.lines().filter(|line| !line.starts_with(';')) {
            let (name, rest) = line.split_once(". IN ").unwrap();
            let (kind, value) = rest.split_once(' ').unwrap();
            let pieces: Vec<&str> = value.split('"').skip(1).step_by(2).collect();
            let value = if kind == "MX" { value.to_owned() } else { pieces.concat() };
            self.set(kind, name, Some(&value));
        }
    }
}

fn answer(question: Message, zone: &Zone) -> Message {
    let query = question.queries[0].clone();
    let mut answer = question.into_response();
    let name = query.name().to_ascii();
    let key = format!("{} {}", query.query_type(), name.trim_end_matches('.'));
    let Some(values) = zone.get(&key) else {
        answer.metadata.response_code = ResponseCode::NXDomain;
        return answer;
    };
    for value in values {
        let data = if query.query_type() == RecordType::MX {
            let (preference, host) = value.split_once(' ').unwrap();
            RData::MX(MX::new(preference.parse().unwrap(), host.parse().unwrap()))
        } else {
            let pieces =
                value.as_bytes().chunks(255).map(|piece| String::from_utf8_lossy(piece).into_owned());
            RData::TXT(TXT::new(pieces.collect()))
        };
        answer.add_answer(Record::from_rdata(query.name().clone(), 60, data));
    }
    answer
}
