//go:build e2e

package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dropload/dropload/internal/awsclient"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/store/dynamo"
	"github.com/dropload/dropload/internal/store/storetest"
)

// TestTable runs the contract against the engine at AWS_ENDPOINT_URL, in a table
// of its own.
func TestTable(t *testing.T) {
	clients, err := awsclient.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("storetest-%d-%d", os.Getpid(), time.Now().UnixNano())
	createTable(t, clients.DynamoDB, name)
	table := dynamo.New(clients.DynamoDB, name, dynamo.WithIndex(storetest.Index, "ref", "sk"))
	storetest.Run(t, func(*testing.T) store.Table { return table })
}

func createTable(t *testing.T, client *dynamodb.Client, name string) {
	t.Helper()
	attribute := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
	}
	keys := func(pk, sk string) []types.KeySchemaElement {
		return []types.KeySchemaElement{{AttributeName: &pk, KeyType: types.KeyTypeHash}, {AttributeName: &sk, KeyType: types.KeyTypeRange}}
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attribute("pk"), attribute("sk"), attribute("ref")},
		KeySchema:            keys("pk", "sk"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String(storetest.Index), KeySchema: keys("ref", "sk"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	})
	var made *types.ResourceInUseException // by a try whose answer came too late
	if err != nil && !errors.As(err, &made) {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Errorf("the table %s is left: %v", name, err)
		}
	})
	wait := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 100 * time.Millisecond })
	if err := wait.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
}
