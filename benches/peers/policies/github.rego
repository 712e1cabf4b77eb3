# `holds` are the permissions and teams that a user has by any way; the host has closed it over teams and organisations.
package gait

import rego.v1

default verdict := "block"

verdict := "allow" if allow

holds := data.users[input.args.user].holds

repo := data.resources[input.args.resource]

# Which roles may do what.
roles := {
	"read": {"readers", "triagers", "writers", "maintainers", "admins"},
	"triage": {"triagers", "writers", "maintainers", "admins"},
	"write": {"writers", "maintainers", "admins"},
	"maintain": {"maintainers", "admins"},
	"admin": {"admins"},
}

allow if {
	some role in roles[input.tool_name]
	holds[repo[role]]
}

allow if {
	some role in roles[input.tool_name]
	holds[repo.owner[role]]
}
