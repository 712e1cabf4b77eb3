//! The table `[oauth]` of a configuration: who gives the tokens that clients show. In: the table. Out: a resource, whose keys can be read.

use crate::cli::error::{Category, CliError};
use crate::config::{ConfigError, Table};
use crate::host::Host;
use crate::http::oauth::{METADATA, Resource};
use crate::json::Json;
use crate::mcp;
use crate::mcp::gateway::PATH;
use std::path::PathBuf;
use url::Url;

/// What the table says.
pub struct OAuth {
    issuer: String,
    audience: Option<String>,
    scopes: Vec<String>,
    keys: PathBuf,
}

/// The table, where there is one.
pub fn read(table: &mut Table) -> Result<Option<OAuth>, ConfigError> {
    let Some(mut oauth) = table.table("oauth")? else {
        return Ok(None);
    };
    let (issuer, audience) = (oauth.text("issuer")?, oauth.text("audience")?);
    let (keys, scopes) = (oauth.text("keys")?, oauth.texts("scopes")?);
    oauth.end()?;
    let wrong = |code, message: String| oauth.wrong(oauth.line(), code, message);
    let (Some(issuer), Some(keys)) = (issuer, keys) else {
        let message = "`oauth` needs `issuer` and `keys`".to_owned();
        return Err(wrong("config.missing_key", message));
    };
    for (key, text) in [("issuer", Some(&issuer)), ("audience", audience.as_ref())] {
        // RFC 8414, section 2, and RFC 8707, section 2.
        let is_address = |text: &String| Url::parse(text).is_ok_and(|url| url.fragment().is_none());
        if text.is_some_and(|text| !is_address(text)) {
            let message = format!("`oauth.{key}` is no address, such as https://login.example");
            return Err(wrong("config.bad_value", message));
        }
    }
    // RFC 6749, section 3.3.
    let is_scope = |scope: &String| {
        let is_character = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        !scope.is_empty() && scope.bytes().all(is_character)
    };
    if let Some(scope) = scopes.iter().find(|scope| !is_scope(scope)) {
        let message = format!("`{}` is no scope", scope.escape_debug());
        return Err(wrong("config.bad_value", message));
    }
    Ok(Some(OAuth {
        issuer,
        audience,
        scopes,
        keys: keys.into(),
    }))
}

impl OAuth {
    /// The resource at an address. Keys that cannot be read are found out now, and not by the first request.
    pub fn resource(self, host: &dyn Host, base: &str) -> Result<Resource, CliError> {
        let audience = self.audience.unwrap_or_else(|| format!("{base}{PATH}"));
        let resource = Resource {
            metadata: format!("{base}{METADATA}{PATH}"),
            issuer: self.issuer,
            audience,
            scopes: self.scopes,
            keys: self.keys,
        };
        resource.check(host).map_err(|why| {
            let message = format!("the keys of the authorization server cannot be used: {why}");
            CliError::new(Category::InvalidInput, "mcp.token_keys", message)
                .hint("save the JSON Web Key Set of its `jwks_uri` there")
                .in_file(&resource.keys)
        })?;
        Ok(resource)
    }
}

/// Refuses facts that say who asks where tokens do.
pub fn alone(resource: Option<&Resource>, facts: Option<&Json>) -> Result<(), CliError> {
    let both = [mcp::PRINCIPAL, mcp::IDENTITY];
    let said = both
        .iter()
        .find(|name| facts.is_some_and(|facts| facts.get(name).is_some()));
    match (resource, said) {
        (Some(_), Some(name)) => {
            let message = format!("the facts say `{name}`, which tokens say with `[oauth]`");
            Err(CliError::new(Category::InvalidInput, "mcp.facts", message).hint("leave it out of the facts"))
        }
        _ => Ok(()),
    }
}
