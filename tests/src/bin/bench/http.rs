//! A caller that costs little: HTTP/1.1 on a kept connection, one write and few reads per request. On the same two cores a comfortable
//! client would take from the server what it measures.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Where the front door is, and the key that opens it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
}

/// One connection of a caller.
#[derive(Debug)]
pub(crate) struct Line {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
}

impl Caller {
    pub(crate) async fn connect(&self) -> Result<Line> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n",
            self.address, self.key
        );
        Ok(Line { stream, head, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// The data of an answer without errors, on a connection of its own.
    pub(crate) async fn data(&self, query: &str, variables: &Value) -> Result<Value> {
        let body = serde_json::json!({ "query": query, "variables": variables }).to_string();
        let mut line = self.connect().await?;
        let mut answer: Value = serde_json::from_slice(line.ask(&body).await?)?;
        ensure!(answer.get("errors").is_none(), "the API answers {answer}");
        Ok(answer["data"].take())
    }

    /// The status of a GET; an error when nobody listens.
    pub(crate) async fn status_of(&self, path: &str) -> Result<u16> {
        let mut line = self.connect().await?;
        line.head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        Ok(line.exchange("").await?.0)
    }
}

impl Line {
    /// The body of the answer to a GraphQL request, which must have the status 200.
    pub(crate) async fn ask(&mut self, body: &str) -> Result<&[u8]> {
        let (status, start, end) = self.exchange(body).await?;
        let answer = &self.buffer[start..end];
        ensure!(status == 200, "the API answers {status}: {}", String::from_utf8_lossy(answer));
        Ok(answer)
    }

    /// Status, and where in the buffer the body is.
    async fn exchange(&mut self, body: &str) -> Result<(u16, usize, usize)> {
        let request = format!("{}content-length: {}\r\n\r\n{body}", self.head, body.len());
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the API closed the connection");
            if let Some((status, start, end)) = measure(&self.buffer)?
                && self.buffer.len() >= end
            {
                return Ok((status, start, end));
            }
        }
    }
}

/// Status, start and end of the answer, once its head is there.
fn measure(buffer: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&buffer[..head]).context("an answer's head is no text")?;
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).context("an answer without a status")?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.context("an answer without content-length")?;
    Ok(Some((status, head + 4, head + 4 + length)))
}
