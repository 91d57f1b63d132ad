// Package sfn is execution.Executions over AWS Step Functions.
package sfn

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/dropload/dropload/internal/awsclient/awserr"
	"github.com/dropload/dropload/internal/execution"
)

// The lengths that Step Functions takes of an error's name and its cause.
const (
	maxError = 256
	maxCause = 32768
)

// Executions are those of one state machine.
type Executions struct {
	client  *sfn.Client
	machine string
}

var _ execution.Executions = (*Executions)(nil)

// New returns the executions of the state machine with that ARN. It may be ""
// where nothing is started.
func New(client *sfn.Client, machineARN string) *Executions {
	return &Executions{client: client, machine: machineARN}
}

// Start implements execution.Executions.
func (e *Executions) Start(ctx context.Context, name string, input []byte) error {
	if e.machine == "" {
		return fmt.Errorf("execution: no state machine to start")
	}
	_, err := e.client.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &e.machine, Name: &name, Input: aws.String(string(input)),
	})
	if err == nil || awserr.Code(err) == "ExecutionAlreadyExists" {
		return nil
	}
	return awserr.Wrap(ctx, "StartExecution", err)
}

// Succeed implements execution.Executions.
func (e *Executions) Succeed(ctx context.Context, token string, output []byte) error {
	_, err := e.client.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &token, Output: aws.String(string(output))})
	return answered(ctx, "SendTaskSuccess", err)
}

// Fail implements execution.Executions. A name or cause that is too long for
// Step Functions is cut.
func (e *Executions) Fail(ctx context.Context, token, name, cause string) error {
	_, err := e.client.SendTaskFailure(ctx, &sfn.SendTaskFailureInput{
		TaskToken: &token, Error: aws.String(cut(name, maxError)), Cause: aws.String(cut(cause, maxCause)),
	})
	return answered(ctx, "SendTaskFailure", err)
}

func answered(ctx context.Context, call string, err error) error {
	if err == nil {
		return nil
	}
	switch awserr.Code(err) {
	case "TaskDoesNotExist", "TaskTimedOut", "InvalidToken":
		return execution.ErrGone
	}
	return awserr.Wrap(ctx, call, err)
}

// cut shortens s to at most n characters, without splitting one.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
