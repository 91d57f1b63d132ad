package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dropload/dropload/internal/awsclient"
	"github.com/dropload/dropload/internal/table"
)

// The tables: what imports write to, and what the floor writes to.
const (
	recordsTable = "records"
	floorTable   = "floor"
)

// connect makes the client that the functions have, for an endpoint.
func connect(ctx context.Context, endpoint string) (*dynamodb.Client, error) {
	clients, err := awsclient.Load(ctx, config.WithRegion("us-east-1"), config.WithBaseEndpoint(endpoint),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("bench", "bench", "")))
	return clients.DynamoDB, err
}

// fetchLocal brings DynamoDB Local into the cache, unless it is there.
func fetchLocal(ctx context.Context, s *settings) (string, error) {
	folder, err := filepath.Abs(s.cache)
	if err != nil {
		return "", err
	}
	done := filepath.Join(folder, "complete")
	if _, err := os.Stat(done); err == nil {
		return folder, nil
	}
	for _, tool := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("%s is not there: install a Java runtime (17 or newer) and Maven (Debian: apt-get install default-jre-headless maven)", tool)
		}
	}
	pom, err := filepath.Abs("internal/bench/dynamodb/pom.xml")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", pom,
		"org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies", "-DoutputDirectory="+folder)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mvn: %w\n%s", err, out)
	}
	return folder, os.WriteFile(done, nil, 0o600)
}

// startLocal starts DynamoDB Local with both tables and returns its address.
// It ends with the context.
func startLocal(ctx context.Context, s *settings) (string, func(), error) {
	folder, err := fetchLocal(ctx, s)
	if err != nil {
		return "", nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, "java", "-Djava.library.path="+folder, "-cp", filepath.Join(folder, "*"),
		"com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-inMemory", "-sharedDb", "-disableTelemetry", "-port", strconv.Itoa(port))
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	endpoint := "http://127.0.0.1:" + strconv.Itoa(port)
	if err := createTables(ctx, endpoint); err != nil {
		stop()
		return "", nil, err
	}
	return endpoint, stop, nil
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(port)
	return n, errors.Join(err, l.Close())
}

// createTables waits for the engine and creates the tables as the template
// does.
func createTables(ctx context.Context, endpoint string) error {
	client, err := connect(ctx, endpoint)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := client.ListTables(ctx, &dynamodb.ListTablesInput{})
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return fmt.Errorf("DynamoDB Local does not answer: %w", err)
		}
	}
	text := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
	}
	keys := func(hash string) []types.KeySchemaElement {
		return []types.KeySchemaElement{
			{AttributeName: aws.String(hash), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		}
	}
	for _, name := range []string{recordsTable, floorTable} {
		in := &dynamodb.CreateTableInput{
			TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest, KeySchema: keys("pk"),
			AttributeDefinitions: []types.AttributeDefinition{text("pk"), text("sk")},
		}
		if name == recordsTable {
			in.AttributeDefinitions = append(in.AttributeDefinitions, text(table.AttrRef))
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
				IndexName: aws.String(table.ByReference), KeySchema: keys(table.AttrRef),
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
			}}
		}
		if _, err := client.CreateTable(ctx, in); err != nil && !strings.Contains(err.Error(), "ResourceInUse") {
			return err
		}
	}
	return nil
}
