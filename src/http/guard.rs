//! Who may ask: a web page may not, whatever name it found for this machine, unless its origin is allowed; and nobody without the token
//! where there is one. In: the head of a request. Out: nothing, or why it is refused. It looks at no body.

use super::refusal::Refusal;
use super::token::Token;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use std::net::SocketAddr;

/// What a request must show.
#[derive(Debug, Default)]
pub struct Guard {
    /// The token, where one is asked for.
    pub token: Option<Token>,
    /// The values of `Host` that name this service; none on a socket, which has no name.
    pub hosts: Option<Vec<String>>,
    /// The web pages that may ask, by their origins.
    pub origins: Vec<String>,
}

impl Guard {
    /// The names by which a loopback address, and each of these hosts, is asked for.
    pub fn hosts_of(address: SocketAddr, more: &[String]) -> Vec<String> {
        let port = address.port();
        let mut hosts = vec![address.to_string()];
        if address.ip().is_loopback() {
            hosts.push(format!("localhost:{port}"));
        }
        for name in more {
            hosts.push(name.clone());
            hosts.push(format!("{name}:{port}"));
        }
        hosts
    }

    /// Refuses what comes from a web page, or for another host.
    pub fn check_origin(&self, headers: &HeaderMap, has_authority: bool) -> Result<(), Refusal> {
        let is_allowed = |origin: &[u8]| self.origins.iter().any(|known| known.as_bytes() == origin);
        self.check(headers, has_authority, &is_allowed)
    }

    /// Refuses what comes from another web page than one of this service itself, or for another host.
    pub fn check_own_origin(&self, headers: &HeaderMap, has_authority: bool) -> Result<(), Refusal> {
        let is_own = |origin: &[u8]| {
            let hosts = self.hosts.iter().flatten();
            let mut own =
                hosts.flat_map(|host| ["http://", "https://"].map(|scheme| format!("{scheme}{host}")));
            own.any(|own| own.as_bytes() == origin)
        };
        self.check(headers, has_authority, &is_own)
    }

    fn check(
        &self,
        headers: &HeaderMap,
        has_authority: bool,
        is_allowed: &dyn Fn(&[u8]) -> bool,
    ) -> Result<(), Refusal> {
        if headers.contains_key(ORIGIN) && !only(headers, &ORIGIN).is_some_and(is_allowed) {
            let message = "a request of a web page is refused";
            return Err(Refusal::new(403, "request.origin", message));
        }
        let Some(hosts) = &self.hosts else {
            return Ok(());
        };
        let host = only(headers, &HOST).and_then(|host| str::from_utf8(host).ok());
        let is_known = host.is_some_and(|host| hosts.iter().any(|known| known.eq_ignore_ascii_case(host)));
        if is_known && !has_authority {
            return Ok(());
        }
        let message = "the request is for another host";
        Err(Refusal::new(403, "request.host", message).hint("a name that is allowed is answered to, too"))
    }

    /// Refuses who does not show the token.
    pub fn check_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        if only(headers, &AUTHORIZATION).is_some_and(|shown| token.is_shown(shown)) {
            return Ok(());
        }
        let message = "the request does not show the token";
        let refusal = Refusal::new(401, "request.token", message);
        Err(refusal
            .hint("send `Authorization: Bearer TOKEN`")
            .challenge("Bearer".to_owned()))
    }
}

/// The value of a header that is there once.
pub fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_host_and_no_web_page_is_answered() {
        let address: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        let guard = Guard {
            token: None,
            hosts: Some(Guard::hosts_of(address, &["gait.internal".to_owned()])),
            origins: vec!["https://ui.example".to_owned()],
        };
        let code = |guard: &Guard, given: &[(&HeaderName, &str)], has_authority| {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.append((*name).clone(), value.parse().unwrap());
            }
            guard
                .check_origin(&headers, has_authority)
                .err()
                .map(|refusal| refusal.code)
        };
        for (given, want) in [
            (&[(&HOST, "127.0.0.1:8080")][..], None),
            (&[(&HOST, "LocalHost:8080")], None),
            (&[(&HOST, "gait.internal")], None),
            (&[(&HOST, "gait.internal:8080")], None),
            (&[], Some("request.host")),
            (&[(&HOST, "")], Some("request.host")),
            (&[(&HOST, "localhost")], Some("request.host")),
            (&[(&HOST, "localhost:8081")], Some("request.host")),
            (&[(&HOST, "evil.example:8080")], Some("request.host")),
            (&[(&HOST, "127.0.0.1:8080.evil.example")], Some("request.host")),
            (
                &[(&HOST, "127.0.0.1:8080"), (&HOST, "127.0.0.1:8080")],
                Some("request.host"),
            ),
            (
                &[(&HOST, "127.0.0.1:8080"), (&ORIGIN, "http://127.0.0.1:8080")],
                Some("request.origin"),
            ),
            (
                &[(&HOST, "127.0.0.1:8080"), (&ORIGIN, "null")],
                Some("request.origin"),
            ),
        ] {
            assert_eq!(code(&guard, given, false), want, "{given:?}");
        }
        assert_eq!(
            code(&guard, &[(&HOST, "127.0.0.1:8080")], true),
            Some("request.host")
        );
        assert_eq!(code(&Guard::default(), &[], false), None);
        assert_eq!(
            code(&Guard::default(), &[(&ORIGIN, "null")], false),
            Some("request.origin")
        );
    }
}
