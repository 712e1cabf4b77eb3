# `teams` are those of a user and those around them.
package gait

import rego.v1

default verdict := "block"

verdict := "allow" if allow

teams := data.users[input.args.user].teams

list := data.resources[input.args.resource]

allow if {
	input.tool_name in {"create_list", "get_lists"}
	input.args.resource == "app_TinyTodo"
}

allow if list.owner == input.args.user

allow if {
	input.tool_name == "get_list"
	teams[list.readers]
}

allow if {
	input.tool_name == "get_list"
	teams[list.editors]
}

allow if {
	input.tool_name in {"update_list", "create_task", "update_task", "delete_task"}
	teams[list.editors]
}
