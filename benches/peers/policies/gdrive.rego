# `within` holds the file itself and everything around it; the host has closed it over the folders.
package gait

import rego.v1

default verdict := "block"

verdict := "allow" if allow

user := data.users[input.args.user]

file := data.resources[input.args.resource]

allow if {
	input.tool_name == "read"
	file.within[user.view]
}

allow if {
	input.tool_name == "read"
	file.public
}

allow if {
	input.tool_name in {"read", "write", "share"}
	some owned, _ in user.documents
	file.within[owned]
}

allow if {
	input.tool_name in {"read", "write", "share"}
	some owned, _ in user.folders
	file.within[owned]
}

allow if {
	input.tool_name == "change_owner"
	user.documents[input.args.resource]
}

allow if {
	input.tool_name == "create_document"
	user.folders[input.args.resource]
}
