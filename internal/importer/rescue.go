package importer

import "encoding/json"

// RescueInput is what EventBridge says of an execution that ended. See "Step
// Functions execution status change" in its user guide.
type RescueInput struct {
	Detail struct {
		Name   string `json:"name"`
		Status string `json:"status"`
		Input  string `json:"input"`
	} `json:"detail"`
}

// input is the event that the execution began with.
func (in RescueInput) input() json.RawMessage {
	if !json.Valid([]byte(in.Detail.Input)) {
		return json.RawMessage("{}")
	}
	return json.RawMessage(in.Detail.Input)
}
