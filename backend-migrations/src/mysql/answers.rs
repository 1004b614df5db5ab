//! Reads along in what a server answers, as far as it takes to see that it asks for a file of this machine.
//!
//! A server may answer a query with the name of a file, and the client is to send what is in it (`LOCAL INFILE`, MySQL's
//! protocol, "Text Resultset"). sqlx does not know of it: it takes the first byte for a number of columns and waits for
//! them. The byte alone does not tell, since a row whose first value is NULL begins with it too; so the packets are
//! followed from one result to the next. Inside of TLS there is nothing to be seen.

/// Where in the answers a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the login has been seen, or in what is encrypted.
    Unseen,
    /// In the login: until it is confirmed or refused.
    Login,
    /// The next packet begins a result.
    Head,
    /// So many definitions of columns are to come.
    Columns(u64),
    /// The packet that ends them is to come.
    ColumnsEnd,
    /// Rows are to come.
    Rows,
}

/// One connection's answers.
#[derive(Debug)]
pub(super) struct Answers {
    place: Place,
    /// Whether no packet of its own ends the columns.
    deprecates_eof: bool,
    /// What there is of the packet's header.
    header: Vec<u8>,
    /// The packet's first bytes: as many as are looked at.
    start: Vec<u8>,
    length: usize,
    n_left: usize,
    /// Whether this packet goes on with the one before.
    is_continued: bool,
}

/// The longest of what is looked at: a sign, and a number of eight bytes.
const START_MAX: usize = 9;

/// A packet of this length is continued by the next one.
const LENGTH_MAX: usize = 0x00ff_ffff;

/// `CLIENT_SSL` and `CLIENT_DEPRECATE_EOF`, in a login's first four bytes.
const TLS: u32 = 1 << 11;
const DEPRECATE_EOF: u32 = 1 << 24;

impl Answers {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Unseen,
            deprecates_eof: false,
            header: Vec::new(),
            start: Vec::new(),
            length: 0,
            n_left: 0,
            is_continued: false,
        }
    }

    /// Learns from the first bytes that the client sends, its login or its wish for TLS, how it is answered.
    pub(super) fn begin(&mut self, login: &[u8]) {
        let Some(&[length, _, _, _, a, b, c, d]) = login.get(..8) else { return };
        let flags = u32::from_le_bytes([a, b, c, d]);
        // The wish for TLS ends where the account's name would stand.
        let asks_for_tls = flags & TLS != 0 && length == 32;
        self.deprecates_eof = flags & DEPRECATE_EOF != 0;
        self.place = if asks_for_tls { Place::Unseen } else { Place::Login };
    }

    /// Takes what the server has sent next; gives whether it asks for a file in it.
    pub(super) fn ask_for_a_file(&mut self, mut bytes: &[u8]) -> bool {
        while self.place != Place::Unseen && !bytes.is_empty() {
            if self.header.len() < 4 {
                self.header.push(bytes[0]);
                bytes = &bytes[1..];
                if self.header.len() < 4 {
                    continue;
                }
                // Three bytes of length, the lowest first, and a sequence number.
                self.length = usize::from(self.header[0])
                    | usize::from(self.header[1]) << 8
                    | usize::from(self.header[2]) << 16;
                self.n_left = self.length;
                self.start.clear();
            }
            let (here, rest) = bytes.split_at(self.n_left.min(bytes.len()));
            let n_looked_at = here.len().min(START_MAX - self.start.len());
            self.start.extend(&here[..n_looked_at]);
            self.n_left -= here.len();
            bytes = rest;
            // Nothing more of it would come: the server waits for the file.
            if self.place == Place::Head && !self.is_continued && self.start.first() == Some(&0xfb) {
                return true;
            }
            if self.n_left == 0 {
                if !self.is_continued {
                    self.place = self.after_packet();
                }
                self.is_continued = self.length == LENGTH_MAX;
                self.header.clear();
            }
        }
        false
    }

    fn after_packet(&self) -> Place {
        let Some(&sign) = self.start.first() else { return self.place };
        match (self.place, sign) {
            (Place::Login, 0x00) => Place::Head,
            (Place::Login, _) => Place::Login,
            // An error, or the end of a statement without rows: what comes next is the next result.
            (Place::Head, 0x00) | (_, 0xff) => Place::Head,
            (Place::Head, _) => number(&self.start).map_or(Place::Head, |(n, _)| Place::Columns(n)),
            (Place::Columns(n), _) if n > 1 => Place::Columns(n - 1),
            (Place::Columns(_), _) if self.deprecates_eof => Place::Rows,
            (Place::Columns(_), _) => Place::ColumnsEnd,
            (Place::ColumnsEnd, _) => Place::Rows,
            // A row that begins with this sign has a first value of 16 MiB or more.
            (Place::Rows, 0xfe) if self.length < LENGTH_MAX => Place::Head,
            (place, _) => place,
        }
    }
}

/// A number of the protocol's, and how many bytes it takes.
fn number(bytes: &[u8]) -> Option<(u64, usize)> {
    let (first, rest) = bytes.split_first()?;
    let n_bytes = match first {
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        0xfb | 0xff => return None,
        n => return Some((u64::from(*n), 1)),
    };
    let mut eight = [0; 8];
    eight[..n_bytes].copy_from_slice(rest.get(..n_bytes)?);
    Some((u64::from_le_bytes(eight), 1 + n_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(payloads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for payload in payloads {
            let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
            bytes.extend([length[0], length[1], length[2], 1]);
            bytes.extend(*payload);
        }
        bytes
    }

    fn login(flags: u32) -> Answers {
        let mut answers = Answers::new();
        let payload = [&flags.to_le_bytes()[..], &[0; 40]].concat();
        answers.begin(&packets(&[&payload]));
        assert!(!answers.ask_for_a_file(&packets(&[b"\x01\x03", OK])));
        answers
    }

    const OK: &[u8] = b"\0\0\0\x02\0\0\0";
    const FILE: &[u8] = b"\xfb/etc/passwd";
    /// A row of two values, the first of which is NULL.
    const NULL_ROW: &[u8] = b"\xfb\x011";

    #[test]
    fn a_file_is_asked_for_where_a_result_would_begin() {
        assert!(login(DEPRECATE_EOF).ask_for_a_file(&packets(&[FILE])));
        assert!(login(DEPRECATE_EOF).ask_for_a_file(&packets(&[OK, FILE])));
        let (end, columns) = (b"\xfe\0\0\x0a\0\0\0".as_slice(), [b"\x03def".as_slice(); 2]);
        let rows = packets(&[b"\x02", columns[0], columns[1], NULL_ROW, NULL_ROW, end]);
        let mut answers = login(DEPRECATE_EOF);
        assert!(!answers.ask_for_a_file(&rows));
        assert!(answers.ask_for_a_file(&packets(&[FILE])));
        // The columns have an end of their own, and every byte comes alone.
        let (eof, mut answers) = (b"\xfe\0\0\x0a\0".as_slice(), login(0));
        let rows = packets(&[b"\x02", columns[0], columns[1], eof, NULL_ROW, NULL_ROW, eof]);
        assert!(!rows.iter().any(|byte| answers.ask_for_a_file(&[*byte])));
        assert!(answers.ask_for_a_file(&packets(&[FILE])));
        // After an error, too.
        let mut answers = login(DEPRECATE_EOF);
        assert!(!answers.ask_for_a_file(&packets(&[b"\x02", columns[0], columns[1], b"\xff\x01\x02#HY000"])));
        assert!(answers.ask_for_a_file(&packets(&[FILE])));
    }

    #[test]
    fn what_is_encrypted_is_not_judged() {
        let mut answers = Answers::new();
        let payload = [&(TLS | DEPRECATE_EOF).to_le_bytes()[..], &[0; 28]].concat();
        answers.begin(&packets(&[&payload]));
        assert!(!answers.ask_for_a_file(&packets(&[OK, FILE, FILE])));
    }
}
