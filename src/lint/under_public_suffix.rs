//! `under_public_suffix`: a rule that allows hosts below a domain under which anybody may have a name.

use super::walk::Polarity;
use super::{Context, Group, Lint};
use crate::diag::codes::UNDER_PUBLIC_SUFFIX;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::syntax::ast::Op;
use crate::ty::Ty;

/// The lint.
pub const LINT: Lint = Lint {
    name: "under_public_suffix",
    code: UNDER_PUBLIC_SUFFIX,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

/// Domains below which names are given to anybody who asks, beside those of one label.
const OPEN: [&str; 46] = [
    "ac.uk",
    "co.uk",
    "gov.uk",
    "org.uk",
    "com.au",
    "net.au",
    "org.au",
    "co.nz",
    "co.za",
    "co.in",
    "co.jp",
    "co.kr",
    "com.br",
    "com.cn",
    "com.mx",
    "com.tr",
    "com.sg",
    "com.hk",
    "com.tw",
    "com.ar",
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "vercel.app",
    "netlify.app",
    "pages.dev",
    "workers.dev",
    "r2.dev",
    "web.app",
    "firebaseapp.com",
    "appspot.com",
    "run.app",
    "azurewebsites.net",
    "blob.core.windows.net",
    "cloudfront.net",
    "amazonaws.com",
    "s3.amazonaws.com",
    "ngrok.io",
    "ngrok-free.app",
    "trycloudflare.com",
    "blogspot.com",
    "wordpress.com",
    "myshopify.com",
    "fly.dev",
    "onrender.com",
    "glitch.me",
];
/// Names of one label that are nobody's to give away: of a company's own net, or reserved (RFC 6761, RFC 6762).
const OWN: [&str; 11] = [
    "internal",
    "intranet",
    "local",
    "localhost",
    "localdomain",
    "lan",
    "corp",
    "home",
    "test",
    "example",
    "invalid",
];

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _) in context.rules().filter(|(_, r)| r.verdict == Verdict::Allow) {
        for comparison in context.comparisons_of(written) {
            let of_host = comparison.asked.iter().any(|asked| asked.atom.ty == Ty::Host);
            let below = matches!(comparison.op.node, Op::Under | Op::Like);
            if !of_host || !below || comparison.polarity == Polarity::Fails {
                continue;
            }
            for (text, span) in comparison.texts() {
                let domain = text
                    .trim_start_matches("**.")
                    .trim_start_matches("*.")
                    .trim_end_matches('.');
                if comparison.op.node == Op::Like && domain == text {
                    continue;
                }
                if is_open(&domain.to_ascii_lowercase()) {
                    let message = format!("anybody may have a name below `{domain}`");
                    let report = LINT
                        .finding(span, message)
                        .why("whoever wants to be allowed registers one");
                    out.push(report.help("name the domain that is yours"));
                }
            }
        }
    }
}

fn is_open(domain: &str) -> bool {
    let plain = domain
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    let one = !domain.contains('.') && !OWN.contains(&domain) && !domain.bytes().all(|b| b.is_ascii_digit());
    plain && !domain.is_empty() && (one || OPEN.contains(&domain))
}
