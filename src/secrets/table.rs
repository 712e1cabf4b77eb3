//! Tokens of known services, as the services publish them: what a token starts with, of what it consists and how long it
//! is at least. Data only. Each row names where the format is published. A row that is added, taken out or changed makes
//! another table: `super::TABLE` goes up with it.

/// The characters that tokens consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Letters and digits.
    Alnum,
    /// Capitals and digits.
    Upper,
    /// Digits and `a` to `f`.
    Hex,
    /// Letters, digits, `_` and `-`.
    Url,
    /// Those, and what joins the parts of a token: `.`, `=`, `+`, `/` and `%`.
    Joined,
}

impl Of {
    /// Whether a byte is one of them.
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Of::Alnum => byte.is_ascii_alphanumeric(),
            Of::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Of::Hex => byte.is_ascii_hexdigit(),
            Of::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Of::Joined => Of::Url.has(byte) || matches!(byte, b'.' | b'=' | b'+' | b'/' | b'%'),
        }
    }
}

/// How long what follows the start is, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Long {
    /// So many or more.
    AtLeast(usize),
    /// So many; where more follow it is no token.
    Exactly(usize),
}

/// The tokens of one service that start alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// What is said of it in place of the value.
    pub kind: &'static str,
    /// What it starts with.
    pub start: &'static str,
    /// What follows.
    pub of: Of,
    /// How much of it.
    pub long: Long,
    /// Where that is published.
    pub source: &'static str,
}

const fn row(kind: &'static str, start: &'static str, of: Of, long: Long, source: &'static str) -> Row {
    Row {
        kind,
        start,
        of,
        long,
        source,
    }
}

use Long::{AtLeast, Exactly};
use Of::{Alnum, Hex, Joined, Upper, Url};

const GITHUB: &str = "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats";
const GITLAB: &str = "https://docs.gitlab.com/security/tokens/#token-prefixes";
const AWS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids";
const SLACK: &str = "https://docs.slack.dev/authentication/tokens";
const STRIPE: &str = "https://docs.stripe.com/keys";
const OPENAI: &str = "https://platform.openai.com/docs/api-reference/authentication";
const GOOGLE_OAUTH: &str = "https://developers.google.com/identity/protocols/oauth2";
const DIGITALOCEAN: &str = "https://docs.digitalocean.com/reference/api/create-personal-access-token/";
const SHOPIFY: &str = "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens";
const SQUARE: &str = "https://developer.squareup.com/docs/build-basics/access-tokens";
const DOCKER: &str = "https://docs.docker.com/security/access-tokens/";
const VAULT: &str = "https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes";
const GRAFANA: &str = "https://grafana.com/docs/grafana/latest/administration/service-accounts/";
const SENTRY: &str = "https://docs.sentry.io/account/auth-tokens/";
const SUPABASE: &str = "https://supabase.com/docs/guides/api/api-keys";

/// The table.
pub(super) const ROWS: &[Row] = &[
    row("github_token", "ghp_", Alnum, AtLeast(36), GITHUB),
    row("github_token", "gho_", Alnum, AtLeast(36), GITHUB),
    row("github_token", "ghu_", Alnum, AtLeast(36), GITHUB),
    row("github_token", "ghs_", Joined, AtLeast(36), GITHUB),
    row("github_token", "ghr_", Alnum, AtLeast(36), GITHUB),
    row("github_token", "github_pat_", Url, AtLeast(40), GITHUB),
    row("gitlab_token", "glpat-", Joined, AtLeast(20), GITLAB),
    row("gitlab_token", "gldt-", Joined, AtLeast(20), GITLAB),
    row("gitlab_token", "glrt-", Joined, AtLeast(20), GITLAB),
    row("gitlab_token", "glptt-", Joined, AtLeast(20), GITLAB),
    row("gitlab_token", "glcbt-", Joined, AtLeast(20), GITLAB),
    row("gitlab_token", "glft-", Joined, AtLeast(20), GITLAB),
    row("gitlab_token", "glimt-", Joined, AtLeast(20), GITLAB),
    row("gitlab_token", "glagent-", Joined, AtLeast(20), GITLAB),
    row("gitlab_token", "gloas-", Joined, AtLeast(20), GITLAB),
    row("gitlab_token", "glsoat-", Joined, AtLeast(20), GITLAB),
    row("aws_access_key", "AKIA", Upper, Exactly(16), AWS),
    row("aws_access_key", "ASIA", Upper, Exactly(16), AWS),
    row(
        "google_api_key",
        "AIza",
        Url,
        Exactly(35),
        "https://docs.cloud.google.com/docs/authentication/api-keys",
    ),
    row("google_oauth_token", "ya29.", Joined, AtLeast(30), GOOGLE_OAUTH),
    row("google_oauth_secret", "GOCSPX-", Url, AtLeast(28), GOOGLE_OAUTH),
    row("slack_token", "xoxb-", Url, AtLeast(20), SLACK),
    row("slack_token", "xoxp-", Url, AtLeast(20), SLACK),
    row("slack_token", "xoxa-", Url, AtLeast(20), SLACK),
    row("slack_token", "xoxr-", Url, AtLeast(20), SLACK),
    row("slack_token", "xoxs-", Url, AtLeast(20), SLACK),
    row("slack_token", "xoxe-", Url, AtLeast(20), SLACK),
    row("slack_token", "xoxe.", Joined, AtLeast(20), SLACK),
    row("slack_token", "xapp-", Url, AtLeast(20), SLACK),
    row(
        "slack_webhook",
        "hooks.slack.com/services/",
        Joined,
        AtLeast(30),
        "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
    ),
    row(
        "discord_webhook",
        "discord.com/api/webhooks/",
        Joined,
        AtLeast(60),
        "https://discord.com/developers/docs/resources/webhook",
    ),
    row("stripe_key", "sk_live_", Alnum, AtLeast(16), STRIPE),
    row("stripe_key", "rk_live_", Alnum, AtLeast(16), STRIPE),
    row("stripe_key", "sk_test_", Alnum, AtLeast(16), STRIPE),
    row("stripe_key", "rk_test_", Alnum, AtLeast(16), STRIPE),
    row(
        "stripe_webhook_secret",
        "whsec_",
        Joined,
        AtLeast(24),
        "https://docs.stripe.com/webhooks",
    ),
    row(
        "anthropic_key",
        "sk-ant-",
        Url,
        AtLeast(24),
        "https://docs.claude.com/en/api/admin-api/apikeys/get-api-key",
    ),
    row("openai_key", "sk-proj-", Url, AtLeast(24), OPENAI),
    row("openai_key", "sk-svcacct-", Url, AtLeast(24), OPENAI),
    row("openai_key", "sk-admin-", Url, AtLeast(24), OPENAI),
    row(
        "api_key",
        "sk-or-v1-",
        Hex,
        AtLeast(48),
        "https://openrouter.ai/docs/api-reference/authentication",
    ),
    row("api_key", "sk-", Alnum, AtLeast(32), OPENAI),
    row(
        "huggingface_token",
        "hf_",
        Alnum,
        AtLeast(30),
        "https://huggingface.co/docs/hub/security-tokens",
    ),
    row(
        "groq_key",
        "gsk_",
        Alnum,
        AtLeast(40),
        "https://console.groq.com/docs/quickstart",
    ),
    row(
        "xai_key",
        "xai-",
        Alnum,
        AtLeast(60),
        "https://docs.x.ai/docs/tutorial",
    ),
    row(
        "perplexity_key",
        "pplx-",
        Alnum,
        AtLeast(40),
        "https://docs.perplexity.ai/getting-started/quickstart",
    ),
    row(
        "replicate_token",
        "r8_",
        Alnum,
        AtLeast(35),
        "https://replicate.com/docs/topics/security/api-tokens",
    ),
    row(
        "langsmith_key",
        "lsv2_",
        Url,
        AtLeast(40),
        "https://docs.smith.langchain.com/administration/how_to_guides/organization_management/create_account_api_key",
    ),
    row(
        "npm_token",
        "npm_",
        Alnum,
        AtLeast(36),
        "https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/",
    ),
    row(
        "pypi_token",
        "pypi-",
        Url,
        AtLeast(60),
        "https://pypi.org/help/#apitoken",
    ),
    row(
        "rubygems_key",
        "rubygems_",
        Hex,
        AtLeast(48),
        "https://guides.rubygems.org/api-key-scopes/",
    ),
    row("docker_token", "dckr_pat_", Url, AtLeast(20), DOCKER),
    row("docker_token", "dckr_oat_", Url, AtLeast(20), DOCKER),
    row("digitalocean_token", "dop_v1_", Hex, AtLeast(64), DIGITALOCEAN),
    row("digitalocean_token", "doo_v1_", Hex, AtLeast(64), DIGITALOCEAN),
    row("digitalocean_token", "dor_v1_", Hex, AtLeast(64), DIGITALOCEAN),
    row(
        "sendgrid_key",
        "SG.",
        Joined,
        AtLeast(60),
        "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
    ),
    row("shopify_token", "shpat_", Hex, AtLeast(32), SHOPIFY),
    row("shopify_token", "shpca_", Hex, AtLeast(32), SHOPIFY),
    row("shopify_token", "shppa_", Hex, AtLeast(32), SHOPIFY),
    row("shopify_token", "shpss_", Hex, AtLeast(32), SHOPIFY),
    row("square_token", "sq0atp-", Url, AtLeast(22), SQUARE),
    row("square_token", "sq0csp-", Url, AtLeast(40), SQUARE),
    row(
        "atlassian_token",
        "ATATT3",
        Joined,
        AtLeast(60),
        "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/",
    ),
    row("vault_token", "hvs.", Url, AtLeast(24), VAULT),
    row("vault_token", "hvb.", Url, AtLeast(24), VAULT),
    row("vault_token", "hvr.", Url, AtLeast(24), VAULT),
    row(
        "databricks_token",
        "dapi",
        Hex,
        AtLeast(32),
        "https://docs.databricks.com/aws/en/dev-tools/auth/pat",
    ),
    row("grafana_token", "glsa_", Url, AtLeast(40), GRAFANA),
    row(
        "grafana_token",
        "glc_",
        Joined,
        AtLeast(40),
        "https://grafana.com/docs/grafana-cloud/security-and-account-management/authentication-and-permissions/access-policies/",
    ),
    row(
        "newrelic_key",
        "NRAK-",
        Upper,
        AtLeast(27),
        "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/",
    ),
    row("sentry_token", "sntrys_", Joined, AtLeast(40), SENTRY),
    row("sentry_token", "sntryu_", Hex, AtLeast(40), SENTRY),
    row(
        "linear_key",
        "lin_api_",
        Alnum,
        AtLeast(32),
        "https://linear.app/developers/graphql",
    ),
    row(
        "notion_token",
        "ntn_",
        Alnum,
        AtLeast(40),
        "https://developers.notion.com/docs/authorization",
    ),
    row(
        "figma_token",
        "figd_",
        Url,
        AtLeast(36),
        "https://developers.figma.com/docs/rest-api/authentication/",
    ),
    row(
        "postman_key",
        "PMAK-",
        Url,
        AtLeast(50),
        "https://learning.postman.com/docs/developer/postman-api/authentication/",
    ),
    row(
        "pulumi_token",
        "pul-",
        Hex,
        AtLeast(40),
        "https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/",
    ),
    row("supabase_token", "sbp_", Hex, AtLeast(40), SUPABASE),
    row("supabase_token", "sb_secret_", Url, AtLeast(24), SUPABASE),
    row(
        "fly_token",
        "fm2_",
        Joined,
        AtLeast(50),
        "https://fly.io/docs/security/tokens/",
    ),
    row(
        "doppler_token",
        "dp.",
        Joined,
        AtLeast(40),
        "https://docs.doppler.com/docs/service-tokens",
    ),
    row(
        "tailscale_key",
        "tskey-",
        Url,
        AtLeast(24),
        "https://tailscale.com/kb/1277/key-prefixes",
    ),
    row(
        "onepassword_token",
        "ops_ey",
        Joined,
        AtLeast(60),
        "https://developer.1password.com/docs/service-accounts/",
    ),
    row(
        "age_key",
        "AGE-SECRET-KEY-1",
        Upper,
        AtLeast(50),
        "https://age-encryption.org/v1",
    ),
];

/// Whether a token may start with these two bytes: a quick answer, which is now and then wrong when it is yes.
pub(super) fn may_start(first: u8, second: u8) -> bool {
    let (one, other) = buckets(first, second);
    PAIRS.0 >> one & 1 == 1 && PAIRS.1 >> other & 1 == 1
}

/// Two numbers below 128 that two bytes have.
const fn buckets(first: u8, second: u8) -> (u8, u8) {
    let one = first.wrapping_mul(3).wrapping_add(second.wrapping_mul(7));
    let other = first.wrapping_mul(5) ^ second.wrapping_mul(11);
    (one & 0x7f, other & 0x7f)
}

/// The numbers of the first two bytes of all starts, a bit each.
const PAIRS: (u128, u128) = pairs(ROWS);

const fn pairs(mut rows: &[Row]) -> (u128, u128) {
    let mut bits = (0, 0);
    while let [row, rest @ ..] = rows {
        if let [first, second, ..] = row.start.as_bytes() {
            let (one, other) = buckets(*first, *second);
            bits = (bits.0 | 1u128 << one, bits.1 | 1u128 << other);
        }
        rows = rest;
    }
    bits
}
