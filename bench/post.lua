-- post.lua - for wrk: webhooks with unique random ids, "txn_" and 32 hexadecimal digits.
local threads = 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
end

function init()
	math.randomseed(os.time() * 1000 + number * 7919 + tonumber(tostring({}):sub(8), 16) % 100000)
	wrk.method = "POST"
	wrk.headers["Content-Type"] = "application/json"
end

local function word()
	return string.format("%08x", math.random(0, 4294967295))
end

function request()
	return wrk.format(nil, "/v1/webhooks/transactions", nil, '{"transaction_id":"txn_' .. word() .. word() .. word() .. word()
		.. '","source_account":"acc_user_789","destination_account":"acc_merchant_456","amount":1500.50,"currency":"INR"}')
end
