//go:build e2e

package sfn_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	awssfn "github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/dropload/dropload/internal/awsclient"
	"github.com/dropload/dropload/internal/execution"
	"github.com/dropload/dropload/internal/execution/sfn"
)

// TestEngine starts a small machine of its own at AWS_ENDPOINT_URL twice under
// one name, and answers a token that nobody waits on.
func TestEngine(t *testing.T) {
	clients, err := awsclient.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("executiontest-%d-%d", os.Getpid(), time.Now().UnixNano())
	definition := `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`
	role := "arn:aws:iam::000000000000:role/" + name
	machine, err := clients.SFN.CreateStateMachine(t.Context(), &awssfn.CreateStateMachineInput{Name: &name, Definition: &definition, RoleArn: &role})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := clients.SFN.DeleteStateMachine(ctx, &awssfn.DeleteStateMachineInput{StateMachineArn: machine.StateMachineArn}); err != nil {
			t.Errorf("the machine %s is left: %v", name, err)
		}
	})
	executions := sfn.New(clients.SFN, *machine.StateMachineArn)
	for range 2 {
		if err := executions.Start(t.Context(), name, []byte(`{"a":1}`)); err != nil {
			t.Fatal(err)
		}
	}
	await(t, clients.SFN, *machine.StateMachineArn)
	if err := executions.Start(t.Context(), name, []byte(`{"a":1}`)); err != nil {
		t.Errorf("after its end: %v", err)
	}
	if err := executions.Succeed(t.Context(), "AAAAKgAAAAIAAAAAAAAAAQ", []byte(`{}`)); !errors.Is(err, execution.ErrGone) {
		t.Errorf("Succeed: %v", err)
	}
	if err := executions.Fail(t.Context(), "AAAAKgAAAAIAAAAAAAAAAQ", "E", "c"); !errors.Is(err, execution.ErrGone) {
		t.Errorf("Fail: %v", err)
	}
}

// await waits until the machine's one execution has succeeded.
func await(t *testing.T, client *awssfn.Client, machine string) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		out, err := client.ListExecutions(t.Context(), &awssfn.ListExecutionsInput{StateMachineArn: &machine})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Executions) == 1 && out.Executions[0].Status == types.ExecutionStatusSucceeded {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("executions: %+v", out.Executions)
		}
	}
}
